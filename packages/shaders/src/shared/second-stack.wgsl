// Bilinear interpolation in a second stack of images, `warped`, of the same shape.
// #import affine

fn second_pixel(base: u32, column: i32, row: i32) -> f32 {
  let inside = column >= 0 && row >= 0 && column < params.width && row < params.height;
  let c = clamp(column, 0, params.width - 1);
  let r = clamp(row, 0, params.height - 1);
  return select(0.0, warped[base + u32(r * params.width + c)], inside);
}

fn interpolate_second(base: u32, m: Map, x: i32, y: i32) -> f32 {
  let u = clamp_column(map_column(m, x, y));
  let v = clamp_row(map_row(m, x, y));
  let column = u >> params.frac_bits;
  let row = v >> params.frac_bits;
  let fu = fraction(u, column);
  let fv = fraction(v, row);
  let top = lerp(second_pixel(base, column, row), second_pixel(base, column + 1, row), fu);
  let bottom = lerp(second_pixel(base, column, row + 1), second_pixel(base, column + 1, row + 1), fu);
  return lerp(top, bottom, fv);
}
