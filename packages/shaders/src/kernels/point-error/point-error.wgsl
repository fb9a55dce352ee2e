// Squared interpolation error at single parameters: || pre(T_beta y - T_(beta+gamma) x) ||^2 with y = T_gamma x in
// `warped`, made by `warp`.
// #import pair-error
// #import second-stack

alias Field = f32;

const ITEM_LENGTH = 2u + 2u * FINE_MAP_LENGTH;

struct Source {
  base: u32, slot: u32,
  beta: FineMap, both: FineMap,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  return Source(
    plane_at(items[at], channel), plane_at(items[at + 1u], channel), load_fine_map(at + 2u), load_fine_map(at + 2u + FINE_MAP_LENGTH));
}

fn value_at(source: Source, x: i32, y: i32) -> f32 {
  return interpolate_second(source.slot, source.beta, x, y);
}

fn completed(source: Source, field: f32, x: i32, y: i32) -> f32 {
  return field - interpolate(source.base, source.both, x, y);
}

fn magnitude(field: f32) -> f32 {
  return field;
}

@compute @workgroup_size(SIDE, SIDE)
fn point_error(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  write_squared_norm(group, groups, local.xy);
}
