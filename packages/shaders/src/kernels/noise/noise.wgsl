// Noisy inputs for the classifier, for many samples at once: the base image rounded to the lattice of 2^-k, plus J
// steps of it, where J is round(N / 2^-k) in law, N ~ N(0, sigma²). Whole numbers only, so the noise is the same bit for
// bit on every adapter, and each sum is exact.
//
// base [slot, elements]; items [sample]: slot, then the counter (image, beta index, sample); law: see `packNoiseLaw`;
// output [sample, elements]. One thread makes four neighbouring elements: one Philox block, and a second one for the
// lower halves of their words in the rare case that the upper ones decide nothing.
// #import philox

struct NoiseParams {
  elements: u32,
  key0: u32, key1: u32,
  /// Thresholds of the law; 0: no noise, and no lattice.
  cells: u32,
  /// 2^k and 2^-k.
  per_unit: f32, step: f32,
}

@group(0) @binding(0) var<uniform> params: NoiseParams;
@group(0) @binding(1) var<storage, read> base: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<u32>;
@group(0) @binding(3) var<storage, read> law: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

const ITEM_LENGTH = 4u;
/// A word's upper 31 bits fall into buckets: this many bits behind the leading one.
const BUCKET_BITS = 8u;
const BUCKETS = 6144u;
/// Blocks of lower halves.
const LOWER = 0x80000000u;

/// How many of the law's tails are above the 63-bit word that `upper` begins (its first bit is the sign).
fn magnitude(upper: u32, counter: vec4u, component: u32) -> u32 {
  let v = upper & 0x7fffffffu;
  let shift = 31u - countLeadingZeros(v | (1u << BUCKET_BITS)) - BUCKET_BITS;
  let bucket = (shift << BUCKET_BITS) + (v >> shift);
  // In a bucket the answer lies between what its ends have: start where a straight line between them is.
  var most = law[bucket];
  var least = law[bucket + 1u];
  let rest = (1u << shift) - 1u - (v & ((1u << shift) - 1u));
  var probe = least + (((most - least) * rest) >> shift);
  for (var tries = 0u; least < most; tries++) {
    let high = law[BUCKETS + 1u + probe];
    var above = v < high;
    if (v == high) {
      let lower = philox4x32_10(counter | vec4u(0u, 0u, 0u, LOWER), vec2u(params.key0, params.key1));
      above = lower[component] < law[BUCKETS + 1u + params.cells + probe];
    }
    if (above) {
      least = probe + 1u;
    } else {
      most = probe;
    }
    // The line is off by a cell or so: look at neighbours first.
    let neighbour = select(most - min(most, 1u), least, above);
    probe = select((least + most) >> 1u, neighbour, tries < 2u);
  }
  return least;
}

@compute @workgroup_size(64)
fn noise(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  let sample = id.y;
  let first = quad * 4u;
  if (first >= params.elements) {
    return;
  }
  let item = sample * ITEM_LENGTH;
  let from_ = items[item] * params.elements + first;
  let to = sample * params.elements + first;
  let count = min(4u, params.elements - first);
  if (params.cells == 0u) {
    for (var i = 0u; i < count; i++) {
      output[to + i] = base[from_ + i];
    }
    return;
  }
  let counter = vec4u(items[item + 1u], items[item + 2u], items[item + 3u], quad);
  let words = philox4x32_10(counter, vec2u(params.key0, params.key1));
  for (var i = 0u; i < count; i++) {
    let steps = i32(magnitude(words[i], counter, i));
    let signed_steps = select(steps, -steps, words[i] >> 31u == 1u);
    let pixel = i32(round(base[from_ + i] * params.per_unit));
    output[to + i] = f32(pixel + signed_steps) * params.step;
  }
}
