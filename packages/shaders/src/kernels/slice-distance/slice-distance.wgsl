// Squared distance of two transforms of one image: || pre(T_gamma x - T_center x) ||^2.
// #import pair-error
// #import affine

alias Field = f32;

const ITEM_LENGTH = 1u + 2u * FINE_MAP_LENGTH;

struct Source {
  base: u32,
  gamma: FineMap, center: FineMap,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  return Source(plane_at(items[at], channel), load_fine_map(at + 1u), load_fine_map(at + 1u + FINE_MAP_LENGTH));
}

fn value_at(source: Source, x: i32, y: i32) -> f32 {
  return interpolate(source.base, source.gamma, x, y);
}

fn completed(source: Source, field: f32, x: i32, y: i32) -> f32 {
  return field - interpolate(source.base, source.center, x, y);
}

fn magnitude(field: f32) -> f32 {
  return field;
}

@compute @workgroup_size(SIDE, SIDE)
fn slice_distance(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  write_squared_norm(group, groups, local.xy);
}
