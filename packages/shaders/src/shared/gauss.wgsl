// Standard normal numbers from Philox's integers by Box and Muller, with polynomials of our own: WGSL's log, sqrt,
// sin and cos are too coarse. Coefficients: scripts/fit-polynomials.ts. Only +, -, * and integer steps, so adapters
// differ by a few units in the last place at most (noise.oracle.ts states the bound).

/// -ln(u) for u = the leading 24 bits of n, over 2^32; n = 0 counts as 1.
fn minus_log(n: u32) -> f32 {
  let bits = max(n, 1u);
  let zeros = countLeadingZeros(bits);
  // m in [1, 2) with 24 bits, u = m 2^-(zeros+1).
  var m = f32((bits << zeros) >> 8u) * 0x1p-23;
  var exponent = f32(zeros + 1u);
  if (m > 1.41421356) {
    m *= 0.5;
    exponent -= 1.0;
  }
  let f = m - 1.0;
  var p = -0.07902745907;
  p = p * f + 0.1262232090;
  p = p * f - 0.1299818346;
  p = p * f + 0.1421449575;
  p = p * f - 0.1664128148;
  p = p * f + 0.2000104510;
  p = p * f - 0.2500030642;
  p = p * f + 0.3333333073;
  let log_m = f + f * f * (p * f - 0.5);
  return exponent * 0.6931471806 - log_m;
}

/// sqrt(x) for x in [2^-30, 2^30], by Newton's iteration on the inverse root.
fn root(x: f32) -> f32 {
  var y = bitcast<f32>(0x5f375a86u - (bitcast<u32>(x) >> 1u));
  let half = 0.5 * x;
  y = y * (1.5 - half * y * y);
  y = y * (1.5 - half * y * y);
  y = y * (1.5 - half * y * y);
  return x * y;
}

/// Two independent standard normal numbers from two random words. A point of the first octant of the circle (24
/// bits), mirrored by three more bits.
fn gauss2(radius_word: u32, angle_word: u32) -> vec2f {
  let radius = root(2.0 * minus_log(radius_word));
  let t = f32((angle_word << 3u) >> 8u) * 0x1p-24;
  let t2 = t * t;
  let sine = t * (0.7853981634 + t2 * (-0.08074551202 + t2 * (0.002490393210 + t2 * (-0.00003657239261 + t2 * 3.089966777e-7))));
  let cosine = 1.0 + t2 * (-0.3084251352 + t2 * (0.01585432523 + t2 * (-0.0003259385859 + t2 * 0.000003529797138)));
  let swapped = select(vec2f(cosine, sine), vec2f(sine, cosine), (angle_word >> 31u) == 1u);
  let signs = vec2f(
    select(1.0, -1.0, ((angle_word >> 30u) & 1u) == 1u),
    select(1.0, -1.0, ((angle_word >> 29u) & 1u) == 1u));
  return radius * signs * swapped;
}

fn gauss4(words: vec4u) -> vec4f {
  return vec4f(gauss2(words.x, words.y), gauss2(words.z, words.w));
}
