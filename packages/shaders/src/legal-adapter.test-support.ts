/**
 * Adapters that WGSL allows and that are not at hand: `+ - *` may land on either neighbour of the real result, so the
 * worst of them rounds each operation in whichever direction spoils the answer most. A kernel's WGSL is rewritten so that
 * its float operations go through integers, exactly, and then up or down as a private variable says. The rewritten
 * kernel gives the same bits on every adapter.
 */
import type { Bindings, Kernel } from '@turnproof/core';

/** add, multiply: rounded towards +infinity for a positive direction, towards -infinity else; subnormals flushed. */
export const ARITHMETIC = /* wgsl */ `
/// Whether values are wanted larger (1) or smaller (-1) than they are.
var<private> wanted: i32 = AT_START;
var<private> fraction_u: i32 = 1;
var<private> fraction_v: i32 = 1;

fn assembled(sign: u32, exponent: i32, mantissa: u32, inexact: bool, up: bool) -> f32 {
  if (exponent <= 0) {
    return 0.0;
  }
  let away = inexact && (up == (sign == 0u));
  return bitcast<f32>((sign << 31u) | ((u32(exponent) << 23u) + (mantissa - 0x800000u) + select(0u, 1u, away)));
}

fn multiply(a: f32, b: f32, up: bool) -> f32 {
  let x = bitcast<u32>(a);
  let y = bitcast<u32>(b);
  if ((x & 0x7f800000u) == 0u || (y & 0x7f800000u) == 0u) {
    return 0.0;
  }
  let m = (x & 0x7fffffu) | 0x800000u;
  let n = (y & 0x7fffffu) | 0x800000u;
  let middle = (m >> 12u) * (n & 0xfffu) + (m & 0xfffu) * (n >> 12u);
  let low = (m & 0xfffu) * (n & 0xfffu) + ((middle & 0xfffu) << 12u);
  let high = (m >> 12u) * (n >> 12u) + (middle >> 12u) + (low >> 24u);
  let rest = low & 0xffffffu;
  let long = high >= 0x800000u;
  let exponent = i32((x >> 23u) & 0xffu) + i32((y >> 23u) & 0xffu) - select(127, 126, long);
  return assembled(
    (x ^ y) >> 31u, exponent, select((high << 1u) | (rest >> 23u), high, long),
    select((rest & 0x7fffffu) != 0u, rest != 0u, long), up);
}

fn add(a: f32, b: f32, up: bool) -> f32 {
  let swap = (bitcast<u32>(a) & 0x7fffffffu) < (bitcast<u32>(b) & 0x7fffffffu);
  let x = bitcast<u32>(select(a, b, swap));
  let y = bitcast<u32>(select(b, a, swap));
  let sign = x >> 31u;
  let exponent = i32((x >> 23u) & 0xffu);
  let big = select(0u, ((x & 0x7fffffu) | 0x800000u) << 6u, exponent > 0);
  let other = i32((y >> 23u) & 0xffu);
  let whole = select(0u, ((y & 0x7fffffu) | 0x800000u) << 6u, other > 0);
  let shift = u32(min(exponent - other, 31));
  var small = whole >> shift;
  let lost = (small << shift) != whole;
  let opposite = ((x ^ y) >> 31u) == 1u;
  // Something was lost below: the real difference is between this and one more.
  small = select(small, small + select(0u, 1u, lost), opposite);
  let sum = select(big + small, big - small, opposite);
  if (sum == 0u) {
    return 0.0;
  }
  let top = i32(firstLeadingBit(sum));
  let right = u32(max(top - 23, 0));
  let mantissa = (sum >> right) << u32(max(23 - top, 0));
  return assembled(sign, exponent + top - 29, mantissa, lost || ((sum >> right) << right) != sum, up);
}

fn larger(a: f32, b: f32) -> f32 {
  return select(min(a, b), max(a, b), wanted > 0);
}
fn plus(a: f32, b: f32) -> f32 {
  return add(a, b, wanted > 0);
}
fn minus(a: f32, b: f32) -> f32 {
  return add(a, -b, wanted > 0);
}
fn times(a: f32, b: f32) -> f32 {
  return multiply(a, b, wanted > 0);
}
`;

/** A text that must occur exactly once, and its replacement. */
type Rewrite = readonly [find: string, replace: string];

const LERP: Rewrite = [
  'return a * (1.0 - t) + b * t;',
  `let rest = add(1.0, -t, (wanted > 0) == (a > 0.0));
  return plus(times(a, rest), times(b, t));`,
];
/** Coordinates: each axis has its own direction. */
const COORDINATES: readonly Rewrite[] = [
  [
    'fn locate(coordinate: i32, correction: f32) -> Located {',
    'fn locate(coordinate: i32, correction: f32, up: bool) -> Located {',
  ],
  [
    'let f = fraction(coordinate, cell) + correction * params.unit;',
    'let f = add(fraction(coordinate, cell), correction * params.unit, up);',
  ],
  ['return Located(cell + step, f - f32(step));', 'return Located(cell + step, add(f, -f32(step), up));'],
  [
    'return locate(u, m.r0 * f32(x) + m.r1 * f32(y) + m.r4);',
    `let up = fraction_u > 0;
  return locate(u, add(add(multiply(m.r0, f32(x), up), multiply(m.r1, f32(y), up), up), m.r4, up), up);`,
  ],
  [
    'return locate(v, m.r2 * f32(x) + m.r3 * f32(y) + m.r5);',
    `let up = fraction_v > 0;
  return locate(v, add(add(multiply(m.r2, f32(x), up), multiply(m.r3, f32(y), up), up), m.r5, up), up);`,
  ],
];
/** The worst over the four ways to round the coordinates; a loop, because drivers compile long code slowly. */
const worstOf = (name: string, type: string, parameters: string, passed: string): Rewrite => [
  `fn ${name}(${parameters}) -> ${type} {`,
  `fn ${name}(${parameters}) -> ${type} {
  var worst = ${type}(select(3.0e38, -3.0e38, wanted > 0));
  for (var k = 0; k < 4; k++) {
    fraction_u = 2 * (k & 1) - 1;
    fraction_v = (k & 2) - 1;
    let value = ${name}_once(${passed});
    worst = select(min(worst, value), max(worst, value), wanted > 0);
  }
  return worst;
}

fn ${name}_once(${parameters}) -> ${type} {`,
];
const INTERPOLATE = worstOf('interpolate', 'f32', 'base: u32, m: FineMap, x: i32, y: i32', 'base, m, x, y');
const SECOND: readonly Rewrite[] = [
  worstOf('interpolate_second', 'f32', 'base: u32, m: FineMap, x: i32, y: i32', 'base, m, x, y'),
  worstOf(
    'interpolate_pair',
    'vec2f',
    'first: u32, second: u32, m: FineMap, x: i32, y: i32',
    'first, second, m, x, y',
  ),
  [
    'let weight_u = select(1.0 - u.fraction, u.fraction, (k & 1) == 1);',
    'let weight_u = select(minus(1.0, u.fraction), u.fraction, (k & 1) == 1);',
  ],
  [
    'let weight_v = select(1.0 - v.fraction, v.fraction, (k >> 1) == 1);',
    'let weight_v = select(minus(1.0, v.fraction), v.fraction, (k >> 1) == 1);',
  ],
  [
    'sum += weight_u * weight_v * vec2f(second_pixel(first, column, row), second_pixel(second, column, row));',
    `let weight = times(weight_u, weight_v);
    sum = vec2f(
      plus(sum.x, times(weight, second_pixel(first, column, row))),
      plus(sum.y, times(weight, second_pixel(second, column, row))));`,
  ],
];
const BLUR: readonly Rewrite[] = [
  [
    'sum += taps[u32(c - at + params.radius)] * region[u32(row * tile.region_width + c)];',
    'sum = blur_step(sum, taps[u32(c - at + params.radius)], region[u32(row * tile.region_width + c)]);',
  ],
  [
    'sum += taps[u32(r - at + params.radius)] * rows[u32(r * tile.width + column)];',
    'sum = blur_step(sum, taps[u32(r - at + params.radius)], rows[u32(r * tile.width + column)]);',
  ],
];
const BLUR_STEP = /* wgsl */ `
fn blur_step(sum: f32, weight: f32, value: f32) -> f32 {
  return plus(sum, times(weight, value));
}
`;
const BLUR_STEP_PAIR = /* wgsl */ `
fn blur_step(sum: vec2f, weight: f32, value: vec2f) -> vec2f {
  return vec2f(plus(sum.x, times(weight, value.x)), plus(sum.y, times(weight, value.y)));
}
`;
/** Sums of squares: always smaller, whatever the field's own direction. */
const SUMS: readonly Rewrite[] = [
  ['sum += value * value;', 'sum = add(sum, multiply(value, value, false), false);'],
  ['sum += partial[thread.y * SIDE + i];', 'sum = add(sum, partial[thread.y * SIDE + i], false);'],
  ['total += partial[i * SIDE];', 'total = add(total, partial[i * SIDE], false);'],
];
const SECOND_SIDE = 'wanted = -AT_START;';
const FIRST_SIDE = 'wanted = AT_START;';
/** Slopes and speeds: lower ends are wanted larger and upper ends smaller, so that nothing is left between them. */
const REMAINDER: readonly Rewrite[] = [
  [
    'let du0 = lerp(p01 - p00, p11 - p10, fv0);',
    `for (var end = 0; end < 2; end++) {
      wanted = 1 - 2 * end;
      let du0 = lerp(minus(p01, p00), minus(p11, p10), fv0);`,
  ],
  ['let du1 = lerp(p01 - p00, p11 - p10, fv1);', 'let du1 = lerp(minus(p01, p00), minus(p11, p10), fv1);'],
  ['let dv0 = lerp(p10 - p00, p11 - p01, fu0);', 'let dv0 = lerp(minus(p10, p00), minus(p11, p01), fu0);'],
  ['let dv1 = lerp(p10 - p00, p11 - p01, fu1);', 'let dv1 = lerp(minus(p10, p00), minus(p11, p01), fu1);'],
  [
    'lower = min(lower, vec2f(min(du0, du1), min(dv0, dv1)));',
    'lower = select(lower, min(lower, vec2f(min(du0, du1), min(dv0, dv1))), end == 0);',
  ],
  [
    'upper = max(upper, vec2f(max(du0, du1), max(dv0, dv1)));',
    `upper = select(upper, max(upper, vec2f(max(du0, du1), max(dv0, dv1))), end == 1);
      }
      wanted = -1;`,
  ],
  [
    'let p = vec4f(a.x * b.x, a.x * b.y, a.y * b.x, a.y * b.y);',
    `var p: vec4f;
  var q: vec4f;
  for (var k = 0; k < 4; k++) {
    let factor = select(a.x, a.y, k >= 2);
    let other = select(b.x, b.y, (k & 1) == 1);
    p[k] = multiply(factor, other, true);
    q[k] = multiply(factor, other, false);
  }`,
  ],
  [
    'max(max(p.x, p.y), max(p.z, p.w)));\n}\n\n/// Ranges of I_u',
    'max(max(q.x, q.y), max(q.z, q.w)));\n}\n\n/// Ranges of I_u',
  ],
  [
    'return box.quarter_x * (s.y - s.x) + box.quarter_y * (s.w - s.z);',
    'return plus(times(box.quarter_x, minus(s.y, s.x)), times(box.quarter_y, minus(s.w, s.z)));',
  ],
  [
    'let speed = product(s.xy, u_speed) + product(s.zw, v_speed);',
    `let along_u = product(s.xy, u_speed);
  let along_v = product(s.zw, v_speed);
  let speed = vec2f(add(along_u.x, along_v.x, true), add(along_u.y, along_v.y, false));`,
  ],
  ['return box.quarter_x * (speed.y - speed.x);', 'return times(box.quarter_x, minus(speed.y, speed.x));'],
];

const INTERPOLATION: readonly Rewrite[] = [LERP, ...COORDINATES];
const PAIR: readonly Rewrite[] = [...INTERPOLATION, ...SECOND, ...BLUR, ...SUMS];

/** Lower ends are wanted larger, upper ends smaller; each quotient is off by 2.5 ULP, whichever way is worse. */
const SPOILED = /* wgsl */ `
fn spoiled(p: f32, a: f32, b: f32, h: f32, t: f32, d: f32, up: bool) -> f32 {
  let from_h = add(p, -h, up);
  let from_t = add(p, -t, up);
  let from_d = add(p, -d, up);
  var worst = select(3.0e38, -3.0e38, up);
  for (var k = 0; k < 4; k++) {
    let odds_a = a * (1.0 + f32(2 * (k & 1) - 1) * 2.5 * 0x1p-23);
    let odds_b = b * (1.0 + f32((k & 2) - 1) * 2.5 * 0x1p-23);
    let odds_ab = multiply(odds_a, odds_b, up == (from_d > 0.0));
    var sum = add(p, multiply(odds_a, from_h, up), up);
    sum = add(sum, multiply(odds_b, from_t, up), up);
    sum = add(sum, multiply(odds_ab, from_d, up), up);
    let loss = multiply(multiply(add(1.0, odds_a, false), add(1.0, odds_b, false), false), LOSS, false);
    let value = add(sum, select(loss, -loss, up), up);
    worst = select(min(worst, value), max(worst, value), up);
  }
  return worst;
}
`;

/** Kernel by kernel: which of its operations are taken over, and what its two sides want. */
const REWRITES: Readonly<Record<string, { readonly rewrites: readonly Rewrite[]; readonly blur: string }>> = {
  warp: { rewrites: [...INTERPOLATION, INTERPOLATE], blur: '' },
  warp_pre: { rewrites: [...INTERPOLATION, INTERPOLATE, ...BLUR], blur: BLUR_STEP },
  box_hull: { rewrites: [LERP], blur: '' },
  box_remainder: { rewrites: [LERP, ...REMAINDER], blur: '' },
  point_error: {
    rewrites: [
      ...PAIR,
      INTERPOLATE,
      [
        'return field - interpolate(source.base, source.both, x, y);',
        `${SECOND_SIDE}
  let other = interpolate(source.base, source.both, x, y);
  ${FIRST_SIDE}
  return minus(field, other);`,
      ],
    ],
    blur: BLUR_STEP,
  },
  interval_error: {
    rewrites: [
      ...PAIR,
      ['let ends = hull(', `${SECOND_SIDE}\n  let ends = hull(`],
      [
        'return field - ends.yx;',
        `${FIRST_SIDE}\n  return vec2f(minus(field.x, ends.y), minus(field.y, ends.x));`,
      ],
    ],
    blur: BLUR_STEP_PAIR,
  },
  inverse: {
    rewrites: [
      ['let low = value - half_step;', 'let low = add(value, -half_step, true);'],
      ['let high = value + half_step;', 'let high = add(value, half_step, false);'],
      [
        'low + a * (low - h.y) + b * (low - t.y) + a * b * (low - d.y) - loss',
        'spoiled(low, a, b, h.y, t.y, d.y, true)',
      ],
      [
        'high + a * (high - h.x) + b * (high - t.x) + a * b * (high - d.x) + loss',
        'spoiled(high, a, b, h.x, t.x, d.x, false)',
      ],
    ],
    blur: SPOILED,
  },
  chord_error: {
    rewrites: [
      ...PAIR,
      ...REMAINDER,
      [
        'return field + remainder(source.base, source.box, x, y);',
        'return plus(field, remainder(source.base, source.box, x, y));',
      ],
    ],
    blur: BLUR_STEP,
  },
};

/**
 * A kernel on the adapter that spoils it most.
 *
 * @param wanted - 1: its values (of a pair kernel: the difference before the norm) as large as WGSL lets them be; -1: as
 *   small. The norm's own sum is always as small as can be.
 * @throws Error when an operation to be taken over is not in the kernel once.
 */
export function onLegalAdapter<B extends Bindings>(kernel: Kernel<B>, wanted: 1 | -1): Kernel<B> {
  const entry = REWRITES[kernel.name];
  if (!entry) throw new Error(`${kernel.name} has no legal adapter`);
  let source = kernel.source;
  for (const [find, replace] of entry.rewrites) {
    const parts = source.split(find);
    if (parts.length !== 2) {
      throw new Error(`${kernel.name}: «${find}» occurs ${parts.length - 1} times`);
    }
    source = parts.join(replace);
  }
  const start = `const AT_START: i32 = ${wanted};\n`;
  return { ...kernel, source: `${start}${ARITHMETIC}${entry.blur}${source}` };
}
