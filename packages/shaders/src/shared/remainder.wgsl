// How far a transformed pixel can depart from its chord over a box.
//
// If f' lies in [m, M] almost everywhere on an interval of width w, f departs from its chord by at most w (M-m) / 4.
// For rotation f' = I_u u' + I_v v' with u' = -(v - centre), v' = u - centre (pixels per radian). For translation
// the two axes add up: f is compared with the bilinear interpolant of the box's corners.
// #import box

override TRANSLATION: bool = false;

/// Least and greatest product of two intervals (x the lower end, y the upper).
fn product(a: vec2f, b: vec2f) -> vec2f {
  let p = vec4f(a.x * b.x, a.x * b.y, a.y * b.x, a.y * b.y);
  return vec2f(min(min(p.x, p.y), min(p.z, p.w)), max(max(p.x, p.y), max(p.z, p.w)));
}

/// Ranges of I_u (x, y) and I_v (z, w) over the cells that the range touches. Inside a cell I_u depends on v only
/// (and linearly), so the clipped range's ends are enough.
fn slopes(base: u32, range: Range) -> vec4f {
  let u0 = clamp_column(range.u0);
  let u1 = clamp_column(range.u1);
  let v0 = clamp_row(range.v0);
  let v1 = clamp_row(range.v1);
  // Beyond the clamp the image is constant.
  let outside = u0 != range.u0 || u1 != range.u1 || v0 != range.v0 || v1 != range.v1;
  var lower = select(vec2f(3.0e38), vec2f(0.0), outside);
  var upper = select(vec2f(-3.0e38), vec2f(0.0), outside);
  for (var row = v0 >> params.frac_bits; row <= v1 >> params.frac_bits; row++) {
    let top = row << params.frac_bits;
    let fv0 = fraction(max(v0, top), row);
    let fv1 = fraction(min(v1, top + (1i << params.frac_bits)), row);
    for (var column = u0 >> params.frac_bits; column <= u1 >> params.frac_bits; column++) {
      let left = column << params.frac_bits;
      let fu0 = fraction(max(u0, left), column);
      let fu1 = fraction(min(u1, left + (1i << params.frac_bits)), column);
      let p00 = pixel(base, column, row);
      let p01 = pixel(base, column + 1, row);
      let p10 = pixel(base, column, row + 1);
      let p11 = pixel(base, column + 1, row + 1);
      let du0 = lerp(p01 - p00, p11 - p10, fv0);
      let du1 = lerp(p01 - p00, p11 - p10, fv1);
      let dv0 = lerp(p10 - p00, p11 - p01, fu0);
      let dv1 = lerp(p10 - p00, p11 - p01, fu1);
      lower = min(lower, vec2f(min(du0, du1), min(dv0, dv1)));
      upper = max(upper, vec2f(max(du0, du1), max(dv0, dv1)));
    }
  }
  return vec4f(lower.x, upper.x, lower.y, upper.y);
}

/// Bound on |T x - its chord| at output pixel (x, y) over the box; never negative.
fn remainder(base: u32, box: Box, x: i32, y: i32) -> f32 {
  let range = coordinate_range(box, x, y);
  let s = slopes(base, range);
  if (TRANSLATION) {
    return box.quarter_x * (s.y - s.x) + box.quarter_y * (s.w - s.z);
  }
  let u_speed = vec2f(f32(params.center_v - range.v1), f32(params.center_v - range.v0)) * params.unit;
  let v_speed = vec2f(f32(range.u0 - params.center_u), f32(range.u1 - params.center_u)) * params.unit;
  let speed = product(s.xy, u_speed) + product(s.zw, v_speed);
  return box.quarter_x * (speed.y - speed.x);
}
