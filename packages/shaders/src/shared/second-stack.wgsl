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
