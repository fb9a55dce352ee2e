// pre(T x) for many (image, map) items at once: warp, vignette and blur fused, as the classifier sees it.
//
// images [image, channels, height, width], output [item, channels, height, width].
// Workgroup: item (x), channel and tile (y).
// #import tile
// #import affine

alias Field = f32;

@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<i32>;
@group(0) @binding(3) var<storage, read> taps: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

const ITEM_LENGTH = 1u + FINE_MAP_LENGTH;

struct Source {
  base: u32,
  map: FineMap,
}

fn value_at(source: Source, x: i32, y: i32) -> f32 {
  return interpolate(source.base, source.map, x, y);
}

@compute @workgroup_size(SIDE, SIDE)
fn warp_pre(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let tiles = groups.y / u32(params.channels);
  let channel = group.y / tiles;
  let tile = tile_at(group.y % tiles);
  let plane = u32(params.width * params.height);
  let item = group.x * ITEM_LENGTH;
  let base = (u32(items[item]) * u32(params.channels) + channel) * plane;
  fill_region(tile, Source(base, load_fine_map(item + 1u)), local.xy);
  blur_rows(tile, local.xy);
  let start = (group.x * u32(params.channels) + channel) * plane;
  for (var row = i32(local.y); row < tile.height; row += i32(SIDE)) {
    for (var column = i32(local.x); column < tile.width; column += i32(SIDE)) {
      output[start + u32((tile.y + row) * params.width + tile.x + column)] = blurred(tile, column, row);
    }
  }
}
