// T x for many (image, map) items at once: bilinear interpolation, 0 outside, no preprocessing. Also serves an
// interval image under one transformation: its lower and upper ends are two images, and the weights are not negative.
// #import per-pixel
// #import affine

const ITEM_LENGTH = 1u + FINE_MAP_LENGTH;

@compute @workgroup_size(16, 16)
fn warp(@builtin(global_invocation_id) id: vec3u) {
  let place = place_of(id);
  if (!place.inside) {
    return;
  }
  let item = id.z * ITEM_LENGTH;
  let base = plane_at(u32(items[item]), place.channel);
  output[plane_at(id.z, place.channel) + place.offset] = interpolate(base, load_fine_map(item + 1u), place.x, place.y);
}
