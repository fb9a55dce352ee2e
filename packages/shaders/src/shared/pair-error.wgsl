// Squared l2 norm of pre(field) for many items at once: one partial sum for each (item; channel, tile), to be summed
// and rounded up by the host. The norm of an interval field is that of its larger end, pixel by pixel.
//
// images [image, channels, height, width]; warped: a second stack of images of the same shape; output
// [item, channels * tiles]. Workgroup: item (x), channel and tile (y).
//
// The field has two parts: `value_at` (see tile.wgsl), to which `completed` adds the other in a loop of its own. In one
// expression they make SwiftShader compile for minutes.
//
// Needs from the kernel, beside what tile.wgsl needs: `fn load_source(item: u32, channel: u32) -> Source`,
// `fn completed(source: Source, field: Field, x: i32, y: i32) -> Field` and `fn magnitude(field: Field) -> f32`.
// #import tile

@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read> warped: array<f32>;
@group(0) @binding(3) var<storage, read> items: array<i32>;
@group(0) @binding(4) var<storage, read> taps: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, SIDE * SIDE>;

/// SIDE sums of SIDE, then one of those.
fn workgroup_sum(value: f32, thread: vec2u) -> f32 {
  partial[thread.y * SIDE + thread.x] = value;
  workgroupBarrier();
  if (thread.x == 0u) {
    var sum = 0.0;
    for (var i = 0u; i < SIDE; i++) {
      sum += partial[thread.y * SIDE + i];
    }
    partial[thread.y * SIDE] = sum;
  }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < SIDE; i++) {
    total += partial[i * SIDE];
  }
  return total;
}

fn complete_region(tile: Tile, source: Source, thread: vec2u) {
  for (var row = i32(thread.y); row < tile.region_height; row += i32(SIDE)) {
    for (var column = i32(thread.x); column < tile.region_width; column += i32(SIDE)) {
      let x = center_x(tile.region_x + column);
      let y = center_y(tile.region_y + row);
      let at = u32(row * tile.region_width + column);
      if (kept(x, y)) {
        region[at] = completed(source, region[at], x, y);
      }
    }
  }
}

fn write_squared_norm(group: vec3u, groups: vec3u, thread: vec2u) {
  let tiles = groups.y / u32(params.channels);
  let tile = tile_at(group.y % tiles);
  let source = load_source(group.x, group.y / tiles);
  fill_region(tile, source, thread);
  complete_region(tile, source, thread);
  blur_rows(tile, thread);
  var sum = 0.0;
  for (var row = i32(thread.y); row < tile.height; row += i32(SIDE)) {
    for (var column = i32(thread.x); column < tile.width; column += i32(SIDE)) {
      let value = magnitude(blurred(tile, column, row));
      sum += value * value;
    }
  }
  let total = workgroup_sum(sum, thread);
  if (thread.x == 0u && thread.y == 0u) {
    output[group.x * groups.y + group.y] = total;
  }
}

/// Where a plane of a stack of images starts.
fn plane_at(image: i32, channel: u32) -> u32 {
  return (u32(image) * u32(params.channels) + channel) * u32(params.width * params.height);
}
