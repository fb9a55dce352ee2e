// What every image kernel is told; filled by params.ts.

struct Params {
  width: i32, height: i32, channels: i32, tiles_x: i32,
  frac_bits: u32, unit: f32, center_u: i32, center_v: i32,
  radius: i32, keep_r2: i32, keep_x: i32, keep_y: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
