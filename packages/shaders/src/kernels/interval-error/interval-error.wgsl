// Squared interval bound: sup || pre(T_beta Y - hull of T_(box+beta) x) ||^2 over Y in its hull. The hull of Y is in
// `warped`, made by `box_hull` over the box: slot s has its lower ends in image 2s, its upper ends in image 2s + 1.
// #import pair-error
// #import box
// #import second-stack

alias Field = vec2f;

const ITEM_LENGTH = 2u + FINE_MAP_LENGTH + BOX_LENGTH;

struct Source {
  base: u32, lower: u32, upper: u32,
  beta: FineMap, box: Box,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  let slot = 2 * items[at + 1u];
  return Source(
    plane_at(items[at], channel), plane_at(slot, channel), plane_at(slot + 1, channel),
    load_fine_map(at + 2u), load_box(at + 2u + FINE_MAP_LENGTH));
}

fn value_at(source: Source, x: i32, y: i32) -> vec2f {
  return interpolate_pair(source.lower, source.upper, source.beta, x, y);
}

fn completed(source: Source, field: vec2f, x: i32, y: i32) -> vec2f {
  let ends = hull(source.base, coordinate_range(source.box, x, y));
  return field - ends.yx;
}

fn magnitude(field: vec2f) -> f32 {
  return max(abs(field.x), abs(field.y));
}

@compute @workgroup_size(SIDE, SIDE)
fn interval_error(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  write_squared_norm(group, groups, local.xy);
}
