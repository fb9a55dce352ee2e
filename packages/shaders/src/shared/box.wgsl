// Boxes of parameters: the coordinates that a pixel can take while the parameter runs through [a, b], and what the
// image can do there. Sound by construction in integers; the float32 part is covered by budgets.ts.
//
// A box is two maps (its ends) and a sagitta. Translation: coordinates move monotonically between the ends.
// Rotation by at most 90 degrees: they do too, unless the *other* coordinate passes the centre, where the arc can
// stand out beyond its ends by radius (1 - cos(width/2)) <= (|X| + |Y|) width^2 / 8 (in half pixels).
//
// Needs from the kernel: what affine.wgsl needs, and `params.center_u`, `params.center_v`: i32, the centre in fixed point.
// #import affine

struct Box {
  a: Map, b: Map,
  /// width^2 / 8, rounded up, in the maps' units; 0 for translation.
  sagitta: i32,
  /// A quarter of the box's width: radians for rotation (quarter_y unused), pixels per axis for translation.
  quarter_x: f32, quarter_y: f32,
}

struct Range {
  u0: i32, u1: i32, v0: i32, v1: i32,
}

const BOX_LENGTH = 15u;

fn load_box(at: u32) -> Box {
  return Box(
    load_map(at), load_map(at + 6u),
    items[at + 12u], bitcast<f32>(items[at + 13u]), bitcast<f32>(items[at + 14u]));
}

/// Encloses every coordinate of output pixel (x, y) in the box.
fn coordinate_range(box: Box, x: i32, y: i32) -> Range {
  let reach = abs(x) + abs(y);
  // Each of the map's integers is off by at most 0.51: half a step of rounding, and far less from float64.
  let slack = reach + 1;
  let ua = map_column(box.a, x, y);
  let ub = map_column(box.b, x, y);
  let va = map_row(box.a, x, y);
  let vb = map_row(box.b, x, y);
  var range = Range(min(ua, ub) - slack, max(ua, ub) + slack, min(va, vb) - slack, max(va, vb) + slack);
  let arc = box.sagitta * reach;
  let u_passes = range.u0 <= params.center_u && range.u1 >= params.center_u;
  let v_passes = range.v0 <= params.center_v && range.v1 >= params.center_v;
  let wide = range;
  if (v_passes) {
    range.u0 = select(range.u0, range.u0 - arc, wide.u0 <= params.center_u);
    range.u1 = select(range.u1, range.u1 + arc, wide.u1 >= params.center_u);
  }
  if (u_passes) {
    range.v0 = select(range.v0, range.v0 - arc, wide.v0 <= params.center_v);
    range.v1 = select(range.v1, range.v1 + arc, wide.v1 >= params.center_v);
  }
  return range;
}

/// Least and greatest value of any image between those at `lower_base` and `upper_base` over the range. Inside one cell a
/// bilinear patch takes its extremes over a rectangle at the rectangle's corners, and its weights are not negative.
fn hull(lower_base: u32, upper_base: u32, range: Range) -> vec2f {
  let u0 = clamp_column(range.u0);
  let u1 = clamp_column(range.u1);
  let v0 = clamp_row(range.v0);
  let v1 = clamp_row(range.v1);
  var lower = 3.0e38;
  var upper = -3.0e38;
  // Once where both are the same image.
  let last = select(1, 0, lower_base == upper_base);
  for (var end = 0; end <= last; end++) {
    let base = select(upper_base, lower_base, end == 0);
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
        let left_values = vec2f(lerp(p00, p10, fv0), lerp(p00, p10, fv1));
        let right_values = vec2f(lerp(p01, p11, fv0), lerp(p01, p11, fv1));
        let c = vec4f(
          lerp(left_values.x, right_values.x, fu0), lerp(left_values.x, right_values.x, fu1),
          lerp(left_values.y, right_values.y, fu0), lerp(left_values.y, right_values.y, fu1));
        lower = select(lower, min(lower, min(min(c.x, c.y), min(c.z, c.w))), end == 0);
        upper = select(upper, max(upper, max(max(c.x, c.y), max(c.z, c.w))), end == last);
      }
    }
  }
  return vec2f(lower, upper);
}
