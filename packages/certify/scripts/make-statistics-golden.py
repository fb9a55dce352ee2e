#!/usr/bin/env python3
"""Golden vectors for packages/certify/src/statistics, from the definitions alone.

Every value is decided in 60-digit (or longer) decimal arithmetic on the exact values of the doubles involved,
with nothing but Python's standard library. An answer is given as the two doubles next to the real number: `below`
is the greatest double that is not above it, `above` the least that is not below it.

    python3 packages/certify/scripts/make-statistics-golden.py > packages/certify/vectors/statistics-golden.json
"""

import json
import math
import struct
from decimal import Decimal, getcontext, localcontext

getcontext().prec = 60
getcontext().Emin = -(10**9)
getcontext().Emax = 10**9


def bits(x):
    return struct.unpack('<q', struct.pack('<d', x))[0]


def from_bits(i):
    return struct.unpack('<d', struct.pack('<q', i))[0]


def bracket(value):
    """The doubles on either side of a positive Decimal (the same one twice where it is a double)."""
    near = float(value)
    exact = Decimal(near)
    if exact == value:
        return {'below': near, 'above': near}
    if exact < value:
        return {'below': near, 'above': math.nextafter(near, math.inf)}
    return {'below': math.nextafter(near, -math.inf), 'above': near}


def search(low, high, holds):
    """The last double in [low, high] for which the predicate, true then false, holds; both positive."""
    a, b = bits(low), bits(high)
    while b - a > 1:
        middle = (a + b) // 2
        if holds(from_bits(middle)):
            a = middle
        else:
            b = middle
    return from_bits(a)


def pmf(k, n, p):
    return Decimal(math.comb(n, k)) * p**k * (1 - p) ** (n - k)


def upper_tail(k, n, p):
    """P[Bin(n, p) >= k]; p a Decimal strictly between 0 and 1."""
    if k <= 0:
        return Decimal(1)
    if k > n * p:
        term = pmf(k, n, p)
        total, j, odds = term, k, p / (1 - p)
        while j < n:
            term *= Decimal(n - j) / (j + 1) * odds
            j += 1
            total += term
            if term < total * Decimal(10) ** -55:
                break
        return total
    return 1 - lower_tail(k - 1, n, p)


def lower_tail(k, n, p):
    if k >= n:
        return Decimal(1)
    if k <= n * p:
        term = pmf(k, n, p)
        total, j, odds = term, k, (1 - p) / p
        while j > 0:
            term *= Decimal(j) / (n - j + 1) * odds
            j -= 1
            total += term
            if term < total * Decimal(10) ** -55:
                break
        return total
    return 1 - upper_tail(k + 1, n, p)


def clopper_pearson(k, n, alpha):
    level = Decimal(alpha)
    out = {'k': k, 'n': n, 'alpha': alpha}
    one = math.nextafter(1.0, 0.0)
    if k > 0:
        below = search(5e-300, one, lambda p: upper_tail(k, n, Decimal(p)) <= level)
        out['lower'] = {'below': below, 'above': math.nextafter(below, 1)}
    if k < n:
        below = search(5e-300, one, lambda p: lower_tail(k, n, Decimal(p)) > level)
        out['upper'] = {'below': below, 'above': math.nextafter(below, 1)}
    return out


def pi():
    """Machin."""
    with localcontext() as context:
        context.prec += 10

        def arctan_inverse(m):
            total, power, k = Decimal(0), Decimal(1) / m, 0
            while abs(power) > Decimal(10) ** -(context.prec):
                total += power / (2 * k + 1) * (1 if k % 2 == 0 else -1)
                power /= m * m
                k += 1
            return total

        return 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def normal_tail(x):
    """1 - Phi(x) for a double x >= 0, at least 50 digits: 1/2 minus the all-positive series for the middle."""
    with localcontext() as context:
        context.prec = 70 + int(x * x)
        x = Decimal(x)
        square = x * x
        term, total, odd = x, x, 1
        while term > Decimal(10) ** -(context.prec + 5):
            odd += 2
            term = term * square / odd
            total += term
        return Decimal('0.5') - (-square / 2).exp() / (2 * pi()).sqrt() * total


def normal_cdf(x):
    return normal_tail(-x) if x < 0 else 1 - normal_tail(x)


def normal_quantile(p):
    """Brackets of Phi^-1(p) for a double p != 1/2."""
    exact = Decimal(p)
    tail = min(exact, 1 - exact)
    below = search(1e-17, 38.5, lambda z: normal_tail(z) >= tail)
    above = math.nextafter(below, math.inf)
    if p > 0.5:
        return {'below': below, 'above': above}
    return {'below': -above, 'above': -below}


def stirling_remainder(n):
    n_ = Decimal(n)
    exact = Decimal(math.factorial(n)).ln()
    return exact - ((2 * pi() * n_).ln() / 2 + n_ * n_.ln() - n_)


def mixture(a, n):
    """B(a + 1/2, n - a + 1/2) / B(1/2, 1/2)."""
    m = n - a
    return Decimal(math.comb(2 * a, a) * math.comb(2 * m, m)) / math.comb(n, a) / Decimal(4) ** n


def accept_at(n, p0, alpha):
    """Smallest a with a/n > p0 and Q/P >= 1/alpha; n + 1 where there is none. Plain search from above."""
    p, level = Decimal(p0), Decimal(alpha)
    best = n + 1
    for a in range(n, -1, -1):
        if not Decimal(a) > n * p or mixture(a, n) * level < p**a * (1 - p) ** (n - a):
            break
        best = a
    return best


def main():
    cp = []
    for n in (1, 2, 10, 37, 200, 1000):
        for k in sorted({0, 1, n // 3, n // 2, (9 * n) // 10, n - 1, n}):
            for alpha in (0.25, 0.01, 0.004, 0.005 / 200, 1e-12, 1e-40):
                cp.append(clopper_pearson(k, n, alpha))
    for k, n, alpha in (
        (9000, 10000, 0.001),
        (5001, 10000, 2.5e-5),
        (9999, 10000, 1e-9),
        (99990, 100000, 1e-3),
        (999000, 1000000, 1e-6),
        (1000000, 1000000, 1e-12),
        (12, 1000000, 1e-3),
    ):
        cp.append(clopper_pearson(k, n, alpha))

    xs = [1e-12, 0.001, 0.1, 0.5, 0.99, 1.2, 1.2499999, 1.25, 1.3, 1.75, 2.0, 2.5, 3.3, 5.0, 8.0, 12.5, 26.0]
    cdf = [{'x': s * x, **bracket(normal_cdf(s * x))} for x in xs for s in (1, -1)]
    ps = [0.5 + 2**-40, 0.5001, 0.55, 0.6, 0.75, 0.8, 0.89, 0.8944, 0.8945, 0.9, 0.97, 0.99, 0.9829, 0.999]
    ps += [0.999999, 1 - 1e-9, 1 - 1e-12, 1 - 2**-52, 1 - 2**-53]
    ps += [0.49, 0.3, 0.2, 0.11, 0.1056, 0.01, 1e-5, 1e-10, 1e-17, 1e-30, 1e-100, 1e-250]
    quantile = [{'p': p, **normal_quantile(p)} for p in ps]

    two_sided = []
    for k, n in ((1, 1), (3, 5), (8, 10), (60, 100), (0, 100), (51, 101), (700, 1000), (5500, 10000), (10, 1000)):
        p = min(Decimal(1), 2 * upper_tail(max(k, n - k), n, Decimal('0.5')))
        two_sided.append({'k': k, 'n': n, **bracket(p)})

    stirling = [{'n': n, 'value': float(stirling_remainder(n))} for n in (*range(1, 21), 50, 170, 1000)]

    sequential = []
    for p0, alpha in ((0.5, 0.01), (0.7, 0.005 / 200), (0.8849303297782919, 1e-3), (0.99, 1e-5), (0.25, 0.05)):
        for n in (1, 2, 5, 16, 17, 40, 64, 100, 200, 333, 500):
            sequential.append({'p0': p0, 'alpha': alpha, 'n': n, 'acceptAt': accept_at(n, p0, alpha)})

    about = 'Made by scripts/make-statistics-golden.py. below and above: the doubles on either side of the real value.'
    sections = {
        'clopperPearson': cp,
        'normalCdf': cdf,
        'normalQuantile': quantile,
        'binomialTwoSided': two_sided,
        'stirlingRemainder': stirling,
        'sequential': sequential,
    }
    lines = [f'  "about": {json.dumps(about)}']
    for name, rows in sections.items():
        body = ',\n'.join('    ' + json.dumps(row) for row in rows)
        lines.append(f'  "{name}": [\n{body}\n  ]')
    print('{\n' + ',\n'.join(lines) + '\n}')


main()
