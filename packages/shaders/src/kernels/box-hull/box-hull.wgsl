// Hull of T_[a,b] x, pixel by pixel: the least and greatest value that each pixel takes while the parameter runs
// through the box. Not rounded outward: budgets.ts says by how much float32 may fall short.
//
// output [item, 2, channels, height, width], lower ends first.
// #import per-pixel
// #import box

const ITEM_LENGTH = 1u + BOX_LENGTH;

@compute @workgroup_size(16, 16)
fn box_hull(@builtin(global_invocation_id) id: vec3u) {
  let place = place_of(id);
  if (!place.inside) {
    return;
  }
  let item = id.z * ITEM_LENGTH;
  let base = plane_at(u32(items[item]), place.channel);
  let ends = hull(base, base, coordinate_range(load_box(item + 1u), place.x, place.y));
  output[plane_at(2u * id.z, place.channel) + place.offset] = ends.x;
  output[plane_at(2u * id.z + 1u, place.channel) + place.offset] = ends.y;
}
