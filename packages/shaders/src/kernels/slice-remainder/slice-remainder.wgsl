// Squared norm of how far T_gamma x can depart from its chord over a box: || pre(e) ||^2, e the remainder of
// shared/remainder.wgsl. What T_gamma x is compared with does not matter, as long as it stays the same over the box.
// #import pair-error
// #import remainder

alias Field = f32;

const ITEM_LENGTH = 1u + BOX_LENGTH;

struct Source {
  base: u32,
  box: Box,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  return Source(plane_at(items[at], channel), load_box(at + 1u));
}

fn value_at(source: Source, x: i32, y: i32) -> f32 {
  return remainder(source.base, source.box, x, y);
}

fn completed(source: Source, field: f32, x: i32, y: i32) -> f32 {
  return field;
}

fn magnitude(field: f32) -> f32 {
  return field;
}

@compute @workgroup_size(SIDE, SIDE)
fn slice_remainder(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  write_squared_norm(group, groups, local.xy);
}
