// Squared norm of the chord bound's remainder: || pre(T_beta e1 + e2) ||^2, e1 the remainder of T_gamma x over the
// box (in `warped`, made by `box_remainder`), e2 that of T_(beta+gamma) x.
// #import pair-error
// #import remainder
// #import second-stack

alias Field = f32;

const ITEM_LENGTH = 2u + FINE_MAP_LENGTH + BOX_LENGTH;

struct Source {
  base: u32, slot: u32,
  beta: FineMap, box: Box,
}

fn load_source(item: u32, channel: u32) -> Source {
  let at = item * ITEM_LENGTH;
  return Source(
    plane_at(items[at], channel), plane_at(items[at + 1u], channel), load_fine_map(at + 2u), load_box(at + 2u + FINE_MAP_LENGTH));
}

fn value_at(source: Source, x: i32, y: i32) -> f32 {
  return interpolate_second(source.slot, source.beta, x, y);
}

fn completed(source: Source, field: f32, x: i32, y: i32) -> f32 {
  return field + remainder(source.base, source.box, x, y);
}

fn magnitude(field: f32) -> f32 {
  return field;
}

@compute @workgroup_size(SIDE, SIDE)
fn chord_error(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  write_squared_norm(group, groups, local.xy);
}
