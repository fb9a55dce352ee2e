// T x for many (image, map) items at once: bilinear interpolation, 0 outside, no preprocessing. Also serves an
// interval image under one transformation: its lower and upper ends are two images, and the weights are not negative.
// #import per-pixel
// #import affine

const ITEM_LENGTH = 1u + FINE_MAP_LENGTH;

@compute @workgroup_size(16, ROWS)
fn warp(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.z * ITEM_LENGTH;
  let image = u32(items[item]);
  let map = load_fine_map(item + 1u);
  for (var row = id.y; row < rows_at(id.x); row = next_row(row, groups)) {
    let place = place_of(id.x, row);
    let base = plane_at(image, place.channel);
    output[plane_at(id.z, place.channel) + place.offset] = interpolate(base, map, place.x, place.y);
  }
}
