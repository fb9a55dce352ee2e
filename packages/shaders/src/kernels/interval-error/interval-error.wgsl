// Squared interval bound: sup || pre(T_beta Y - hull of T_(box+beta) X) ||^2 over interval images Y and X. X lies in
// `images`, Y in `warped`; an item names the image of the lower ends and that of the upper ends of each. Dist-x: X is one
// image, Y the hull of T_box X, made by `box_hull`. Indiv: Y is the one image at hand, X made by `inverse`.
// #import pair-error
// #import box
// #import second-stack

alias Field = vec2f;

const ITEM_LENGTH = 4u + FINE_MAP_LENGTH + BOX_LENGTH;

struct Source {
  lower: u32, upper: u32, moved_lower: u32, moved_upper: u32,
  beta: FineMap, box: Box,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  return Source(
    plane_at(items[at], channel), plane_at(items[at + 1u], channel),
    plane_at(items[at + 2u], channel), plane_at(items[at + 3u], channel),
    load_fine_map(at + 4u), load_box(at + 4u + FINE_MAP_LENGTH));
}

fn value_at(source: Source, x: i32, y: i32) -> vec2f {
  return interpolate_pair(source.moved_lower, source.moved_upper, source.beta, x, y);
}

fn completed(source: Source, field: vec2f, x: i32, y: i32) -> vec2f {
  let ends = hull(source.lower, source.upper, coordinate_range(source.box, x, y));
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
