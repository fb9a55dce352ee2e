/**
 * Finds the coefficients in src/shared/gauss.wgsl: interpolation at Chebyshev nodes in float64, close to minimax at
 * these degrees. Prints them with the error that remains in real arithmetic.
 *
 * Run: node packages/shaders/scripts/fit-polynomials.ts
 */

/** Monomial coefficients of the polynomial through g at degree+1 Chebyshev nodes of [a, b]. */
function fit(g: (x: number) => number, a: number, b: number, degree: number): number[] {
  const n = degree + 1;
  const nodes = Array.from(
    { length: n },
    (_, k) => (a + b) / 2 + ((b - a) / 2) * Math.cos((Math.PI * (k + 0.5)) / n),
  );
  // Newton's divided differences, then expansion.
  const d = nodes.map(g);
  for (let j = 1; j < n; j++) {
    for (let i = n - 1; i >= j; i--) {
      d[i] = ((d[i] ?? 0) - (d[i - 1] ?? 0)) / ((nodes[i] ?? 0) - (nodes[i - j] ?? 0));
    }
  }
  let coefficients = [0];
  for (let i = n - 1; i >= 0; i--) {
    const next = new Array<number>(coefficients.length + 1).fill(0);
    coefficients.forEach((c, k) => {
      next[k + 1] = (next[k + 1] ?? 0) + c;
      next[k] = (next[k] ?? 0) - c * (nodes[i] ?? 0);
    });
    next[0] = (next[0] ?? 0) + (d[i] ?? 0);
    coefficients = next;
  }
  return coefficients.slice(0, n);
}

function evaluate(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, c) => sum * x + c, 0);
}

function report(
  name: string,
  g: (x: number) => number,
  [a, b, degree]: readonly [number, number, number],
  error: (x: number, p: number) => number,
): void {
  const coefficients = fit(g, a, b, degree);
  let worst = 0;
  for (let i = 1; i <= 100_000; i++) {
    const x = a + ((b - a) * i) / 100_001;
    worst = Math.max(worst, Math.abs(error(x, evaluate(coefficients, x))));
  }
  console.log(`${name}: ${coefficients.map((c) => c.toPrecision(10)).join(', ')}`);
  console.log(`  largest relative error ${worst.toExponential(2)}`);
}

// ln(1+f) = f - f^2/2 + f^3 P(f) on m = 1+f in [sqrt(1/2), sqrt(2)].
const series = (f: number) => 1 / 3 - f / 4 + (f * f) / 5 - f ** 3 / 6;
const P = (f: number) => (Math.abs(f) < 1e-3 ? series(f) : (Math.log1p(f) - f + (f * f) / 2) / f ** 3);
report(
  'ln: P',
  P,
  [Math.SQRT1_2 - 1, Math.SQRT2 - 1, 7],
  (f, p) => (f - (f * f) / 2 + f ** 3 * p) / Math.log1p(f) - 1,
);

// sin(pi t / 4) = t S(t^2), cos(pi t / 4) = C(t^2) on [0, 1].
const angle = (t2: number) => (Math.PI / 4) * Math.sqrt(t2);
const S = (t2: number) => (t2 < 1e-12 ? Math.PI / 4 : Math.sin(angle(t2)) / Math.sqrt(t2));
report('sin: S', S, [0, 1, 4], (t2, p) => p / S(t2) - 1);
report(
  'cos: C',
  (t2) => Math.cos(angle(t2)),
  [0, 1, 4],
  (t2, p) => p / Math.cos(angle(t2)) - 1,
);
