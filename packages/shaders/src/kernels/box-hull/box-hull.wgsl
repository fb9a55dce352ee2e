// Hull of T_[a,b] x, pixel by pixel: the least and greatest value that each pixel takes while the parameter runs
// through the box. Not rounded outward: budgets.ts says by how much float32 may fall short.
//
// output [item, 2, channels, height, width], lower ends first.
// #import per-pixel
// #import box

const ITEM_LENGTH = 1u + BOX_LENGTH;

@compute @workgroup_size(16, ROWS)
fn box_hull(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.z * ITEM_LENGTH;
  let image = u32(items[item]);
  let box = load_box(item + 1u);
  for (var row = id.y; row < rows_at(id.x); row = next_row(row, groups)) {
    let place = place_of(id.x, row);
    let base = plane_at(image, place.channel);
    let ends = hull(base, base, coordinate_range(box, place.x, place.y));
    output[plane_at(2u * id.z, place.channel) + place.offset] = ends.x;
    output[plane_at(2u * id.z + 1u, place.channel) + place.offset] = ends.y;
  }
}
