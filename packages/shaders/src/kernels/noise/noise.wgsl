// Noisy inputs for the classifier: base image + sigma * n, n ~ N(0, I), for many samples at once.
//
// base [slot, elements]; items [sample]: slot, then the counter (image, beta index, sample); output
// [sample, elements]. One thread makes four neighbouring elements: one Philox block.
// #import philox
// #import gauss

struct NoiseParams {
  elements: u32,
  key0: u32, key1: u32,
  sigma: f32,
}

@group(0) @binding(0) var<uniform> params: NoiseParams;
@group(0) @binding(1) var<storage, read> base: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

const ITEM_LENGTH = 4u;

@compute @workgroup_size(64)
fn noise(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  let sample = id.y;
  let first = quad * 4u;
  if (first >= params.elements) {
    return;
  }
  let item = sample * ITEM_LENGTH;
  let counter = vec4u(items[item + 1u], items[item + 2u], items[item + 3u], quad);
  let n = gauss4(philox4x32_10(counter, vec2u(params.key0, params.key1)));
  let from_ = items[item] * params.elements + first;
  let to = sample * params.elements + first;
  let count = min(4u, params.elements - first);
  for (var i = 0u; i < count; i++) {
    output[to + i] = base[from_ + i] + params.sigma * n[i];
  }
}
