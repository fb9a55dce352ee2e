// How far each pixel of T_gamma x can depart from its chord while gamma runs through the box (shared/remainder.wgsl).
//
// output [item, channels, height, width], not negative.
// #import per-pixel
// #import remainder

const ITEM_LENGTH = 1u + BOX_LENGTH;

@compute @workgroup_size(16, 16)
fn box_remainder(@builtin(global_invocation_id) id: vec3u) {
  let place = place_of(id);
  if (!place.inside) {
    return;
  }
  let item = id.z * ITEM_LENGTH;
  let base = plane_at(u32(items[item]), place.channel);
  output[plane_at(id.z, place.channel) + place.offset] =
    remainder(base, load_box(item + 1u), place.x, place.y);
}
