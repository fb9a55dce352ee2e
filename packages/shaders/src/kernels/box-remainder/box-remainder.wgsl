// How far each pixel of T_gamma x can depart from its chord while gamma runs through the box (shared/remainder.wgsl).
//
// output [item, channels, height, width], not negative.
// #import per-pixel
// #import remainder

const ITEM_LENGTH = 1u + BOX_LENGTH;

@compute @workgroup_size(16, ROWS)
fn box_remainder(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.z * ITEM_LENGTH;
  let image = u32(items[item]);
  let box = load_box(item + 1u);
  for (var row = id.y; row < rows_at(id.x); row = next_row(row, groups)) {
    let place = place_of(id.x, row);
    output[plane_at(id.z, place.channel) + place.offset] =
      remainder(plane_at(image, place.channel), box, place.x, place.y);
  }
}
