// Counts how often each class wins: counts[slot, class] += 1 for the argmax of each row of logits (the lowest class
// among equals). A row with a NaN or an infinity counts for no class. Integers only: the one readback of the
// sampling loop.
//
// logits [row, classes], slots [row] (or the sentinel 0xffffffff: the row is padding), counts [slot, classes].

struct CountParams {
  rows: u32, classes: u32,
}

@group(0) @binding(0) var<uniform> params: CountParams;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(64)
fn argmax_count(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= params.rows || slots[row] == 0xffffffffu) {
    return;
  }
  let start = row * params.classes;
  var best = 0u;
  var best_value = logits[start];
  var finite = true;
  for (var c = 0u; c < params.classes; c++) {
    let value = logits[start + c];
    // By bits: WGSL may assume that no NaN and no infinity exists.
    if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) {
      finite = false;
    }
    if (value > best_value) {
      best = c;
      best_value = value;
    }
  }
  if (finite) {
    atomicAdd(&counts[slots[row] * params.classes + best], 1u);
  }
}
