// Bilinear interpolation in a second stack of images, `warped`, of the same shape.
// #import affine

fn second_pixel(base: u32, column: i32, row: i32) -> f32 {
  let inside = column >= 0 && row >= 0 && column < params.width && row < params.height;
  let c = clamp(column, 0, params.width - 1);
  let r = clamp(row, 0, params.height - 1);
  return select(0.0, warped[base + u32(r * params.width + c)], inside);
}

fn interpolate_second(base: u32, m: FineMap, x: i32, y: i32) -> f32 {
  let u = locate_column(m, x, y);
  let v = locate_row(m, x, y);
  let top = lerp(second_pixel(base, u.cell, v.cell), second_pixel(base, u.cell + 1, v.cell), u.fraction);
  let bottom = lerp(second_pixel(base, u.cell, v.cell + 1), second_pixel(base, u.cell + 1, v.cell + 1), u.fraction);
  return lerp(top, bottom, v.fraction);
}

/// The same place in two images of the second stack: one set of coordinates and weights.
fn interpolate_pair(first: u32, second: u32, m: FineMap, x: i32, y: i32) -> vec2f {
  let u = locate_column(m, x, y);
  let v = locate_row(m, x, y);
  var sum = vec2f(0.0);
  for (var k = 0; k < 4; k++) {
    let column = u.cell + (k & 1);
    let row = v.cell + (k >> 1);
    let weight_u = select(1.0 - u.fraction, u.fraction, (k & 1) == 1);
    let weight_v = select(1.0 - v.fraction, v.fraction, (k >> 1) == 1);
    sum += weight_u * weight_v * vec2f(second_pixel(first, column, row), second_pixel(second, column, row));
  }
  return sum;
}
