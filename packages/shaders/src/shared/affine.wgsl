// Affine maps in fixed point, and bilinear interpolation under them.
//
// Output pixel (row i, column j) has X = 2j - (width-1), Y = 2i - (height-1). A map is six integers m0..m5:
//   U = m0 X + m1 Y + m4,  V = m2 X + m3 Y + m5,
// the source column and row in units of 2^-frac_bits pixels. Integer arithmetic is exact on every adapter, so the
// only error of a coordinate is the rounding of the six integers, made in float64 on the host.
//
// Needs from the kernel: `params` with width, height: i32, frac_bits: u32, unit: f32 = 2^-frac_bits; storage
// `images: array<f32>` and `items: array<i32>`.

struct Map {
  m0: i32, m1: i32, m2: i32, m3: i32, m4: i32, m5: i32,
}

/// A pixel of the image that starts at `base`; 0 outside.
fn pixel(base: u32, column: i32, row: i32) -> f32 {
  let inside = column >= 0 && row >= 0 && column < params.width && row < params.height;
  let c = clamp(column, 0, params.width - 1);
  let r = clamp(row, 0, params.height - 1);
  return select(0.0, images[base + u32(r * params.width + c)], inside);
}

/// a + t (b - a), written so that its error is relative to the result when a, b >= 0.
fn lerp(a: f32, b: f32, t: f32) -> f32 {
  return a * (1.0 - t) + b * t;
}

/// The part of a fixed-point coordinate behind the point, exact in float32 (frac_bits <= 24).
fn fraction(coordinate: i32, cell: i32) -> f32 {
  return f32(coordinate - (cell << params.frac_bits)) * params.unit;
}

/// Beyond one pixel outside, the image is 0: moving a coordinate to there changes no value.
fn clamp_column(u: i32) -> i32 {
  return clamp(u, -(1i << params.frac_bits), params.width << params.frac_bits);
}

fn clamp_row(v: i32) -> i32 {
  return clamp(v, -(1i << params.frac_bits), params.height << params.frac_bits);
}

fn map_column(m: Map, x: i32, y: i32) -> i32 {
  return m.m0 * x + m.m1 * y + m.m4;
}

fn map_row(m: Map, x: i32, y: i32) -> i32 {
  return m.m2 * x + m.m3 * y + m.m5;
}

/// Bilinear interpolation of the image at `base` where the map takes output pixel (x, y).
fn interpolate(base: u32, m: Map, x: i32, y: i32) -> f32 {
  let u = clamp_column(map_column(m, x, y));
  let v = clamp_row(map_row(m, x, y));
  let column = u >> params.frac_bits;
  let row = v >> params.frac_bits;
  let fu = fraction(u, column);
  let fv = fraction(v, row);
  let top = lerp(pixel(base, column, row), pixel(base, column + 1, row), fu);
  let bottom = lerp(pixel(base, column, row + 1), pixel(base, column + 1, row + 1), fu);
  return lerp(top, bottom, fv);
}

fn load_map(at: u32) -> Map {
  return Map(items[at], items[at + 1u], items[at + 2u], items[at + 3u], items[at + 4u], items[at + 5u]);
}
