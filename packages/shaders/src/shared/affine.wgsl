// Affine maps in fixed point, and bilinear interpolation under them.
//
// Output pixel (row i, column j) has X = 2j - (width-1), Y = 2i - (height-1). A map is six integers m0..m5:
//   U = m0 X + m1 Y + m4,  V = m2 X + m3 Y + m5,
// the source column and row in units of 2^-frac_bits pixels. Integer arithmetic is exact on every adapter. What
// rounding to integers left over, r0..r5 (at most half a unit each), is a float32 correction: where a single value is
// wanted it is added behind the point, so that large images lose nothing; where a range is wanted (box.wgsl) the
// range is widened by more than it.
//
// Needs from the kernel: `params` with width, height: i32, frac_bits: u32, unit: f32 = 2^-frac_bits; storage
// `images: array<f32>` and `items: array<i32>`.

struct Map {
  m0: i32, m1: i32, m2: i32, m3: i32, m4: i32, m5: i32,
}

struct FineMap {
  map: Map,
  r0: f32, r1: f32, r2: f32, r3: f32, r4: f32, r5: f32,
}

/// A coordinate's cell and the part behind the point, in [0, 1].
struct Located {
  cell: i32,
  fraction: f32,
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

/// The cell of a coordinate, `correction` in the coordinate's units (below one cell).
fn locate(coordinate: i32, correction: f32) -> Located {
  let cell = coordinate >> params.frac_bits;
  let f = fraction(coordinate, cell) + correction * params.unit;
  // -1, 0 or 1. No branches: a software driver compiles a kernel with many of them for minutes.
  let step = select(0, 1, f >= 1.0) - select(0, 1, f < 0.0);
  return Located(cell + step, f - f32(step));
}

/// Two pixels outside the image nothing is left of it, whatever the correction.
fn locate_column(m: FineMap, x: i32, y: i32) -> Located {
  let u = clamp(map_column(m.map, x, y), -(2i << params.frac_bits), (params.width + 1) << params.frac_bits);
  return locate(u, m.r0 * f32(x) + m.r1 * f32(y) + m.r4);
}

fn locate_row(m: FineMap, x: i32, y: i32) -> Located {
  let v = clamp(map_row(m.map, x, y), -(2i << params.frac_bits), (params.height + 1) << params.frac_bits);
  return locate(v, m.r2 * f32(x) + m.r3 * f32(y) + m.r5);
}

/// Bilinear interpolation of the image at `base` where the map takes output pixel (x, y).
fn interpolate(base: u32, m: FineMap, x: i32, y: i32) -> f32 {
  let u = locate_column(m, x, y);
  let v = locate_row(m, x, y);
  let top = lerp(pixel(base, u.cell, v.cell), pixel(base, u.cell + 1, v.cell), u.fraction);
  let bottom = lerp(pixel(base, u.cell, v.cell + 1), pixel(base, u.cell + 1, v.cell + 1), u.fraction);
  return lerp(top, bottom, v.fraction);
}

fn load_map(at: u32) -> Map {
  return Map(items[at], items[at + 1u], items[at + 2u], items[at + 3u], items[at + 4u], items[at + 5u]);
}

const FINE_MAP_LENGTH = 12u;

fn load_fine_map(at: u32) -> FineMap {
  return FineMap(
    load_map(at),
    bitcast<f32>(items[at + 6u]), bitcast<f32>(items[at + 7u]), bitcast<f32>(items[at + 8u]),
    bitcast<f32>(items[at + 9u]), bitcast<f32>(items[at + 10u]), bitcast<f32>(items[at + 11u]));
}
