// One step of the inverse of x' = T_gamma x, gamma in a box: what each pixel of x can be at most and at least, given
// intervals for all of them. Repeated with its own output it gets tighter.
//
// Pixel q of x has four cells around it. Where a pixel of x' is interpolated inside them, whatever gamma in the box is, it
// says something about q. In the cell towards (su, sv), at distances du, dv from q, with the odds a = du / (1 - du),
// b = dv / (1 - dv) and the cell's other pixels h, t, d (beside, above or below, diagonal):
//   q = p' + a (p' - h) + b (p' - t) + a b (p' - d),
// linear in a and in b, so its extremes over a rectangle are at the corners. Largest over the cells, then the smallest over
// all pixels of x' (and what was known before).
//
// images: stack of x'; warped: intervals known before, slot s: lower ends in image 2s, upper ends in image 2s + 1; item:
// image of x', slot (-1: nothing is known but [0, 1]), half a step by which x' may be off (float32), box. output [item, 2,
// channels, height, width]: rounded outward, and anything where the box is refuted. refuted [item]: not 0 where a pixel has no
// value left.
// #import per-pixel
// #import box
// #import second-stack

@group(0) @binding(4) var<storage, read> warped: array<f32>;
@group(0) @binding(5) var<storage, read_write> refuted: array<atomic<u32>>;

const ITEM_LENGTH = 3u + BOX_LENGTH;
/// What float32 may lose of q, over (1 + a) (1 + b): 13 ULP (SOUNDNESS.md).
const LOSS = 16.0 * 0x1p-23;

/// What is known of a pixel; outside the image it is 0.
fn known(slot: i32, channel: u32, column: i32, row: i32) -> vec2f {
  let inside = column >= 0 && row >= 0 && column < params.width && row < params.height;
  if (slot < 0) {
    return vec2f(0.0, select(0.0, 1.0, inside));
  }
  return vec2f(
    second_pixel(plane_at(2u * u32(slot), channel), column, row),
    second_pixel(plane_at(2u * u32(slot) + 1u, channel), column, row));
}

/// f / (1 - f) for a distance f below one cell: f and 1 - f are exact.
fn odds(distance: i32) -> f32 {
  let f = f32(distance) * params.unit;
  return f / (1.0 - f);
}

/// Where the middle of the box takes a pixel of x (in x'), roughly: the maps are multiples of rotations.
fn middle(box: Box, column: i32, row: i32) -> vec2f {
  let m = vec4f(f32(box.a.m0), f32(box.a.m1), f32(box.a.m2), f32(box.a.m3))
    + vec4f(f32(box.b.m0), f32(box.b.m1), f32(box.b.m2), f32(box.b.m3));
  let u = 2.0 * f32(column << params.frac_bits) - f32(box.a.m4) - f32(box.b.m4);
  let v = 2.0 * f32(row << params.frac_bits) - f32(box.a.m5) - f32(box.b.m5);
  let place = vec2f(m.x * u + m.z * v, m.y * u + m.w * v) / (m.x * m.x + m.z * m.z);
  return 0.5 * (place + vec2f(f32(params.width - 1), f32(params.height - 1)));
}

@compute @workgroup_size(16, ROWS)
fn inverse(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.z * ITEM_LENGTH;
  let image = u32(items[item]);
  let slot = items[item + 1u];
  let half_step = bitcast<f32>(items[item + 2u]);
  let box = load_box(item + 3u);
  let cell = 1i << params.frac_bits;
  // Nearer than this to the edge of q's cells a pixel says next to nothing of q.
  let reach = cell - (cell >> 6u);
  for (var line = id.y; line < rows_at(id.x); line = next_row(line, groups)) {
    // Of a box that is refuted nothing more is of interest, whatever becomes of its intervals.
    if (atomicLoad(&refuted[id.z]) != 0u) {
      return;
    }
    let place = place_of(id.x, line);
    let base = plane_at(image, place.channel);
    let column = (place.x + params.width - 1) / 2;
    let row = (place.y + params.height - 1) / 2;
    let u = column * cell;
    let v = row * cell;
    // q and the eight around it, read once and in a loop: SwiftShader compiles reads in the inner loop for half a minute.
    var near: array<vec2f, 9>;
    for (var n = 0; n < 9; n++) {
      near[n] = known(slot, place.channel, column + n % 3 - 1, row + n / 3 - 1);
    }
    var ends = near[4];
    // A pixel within one cell of q in x is within 1.42 of q's place in x'. To leave one out would only lose tightness.
    let first = vec2i(ceil(middle(box, column, row) - vec2f(1.42)));
    for (var k = 0; k < 9; k++) {
      let c = first.x + k % 3;
      let r = first.y + k / 3;
      if (c < 0 || r < 0 || c >= params.width || r >= params.height) {
        continue;
      }
      let range = coordinate_range(box, 2 * c - (params.width - 1), 2 * r - (params.height - 1));
      if (range.u0 < u - reach || range.u1 > u + reach || range.v0 < v - reach || range.v1 > v + reach) {
        continue;
      }
      let value = images[base + u32(r * params.width + c)];
      let low = value - half_step;
      let high = value + half_step;
      var implied = vec2f(3.0e38, -3.0e38);
      for (var corner = 0; corner < 16; corner++) {
        // The cell, and the corner of what the range has of it: a loop, not sixteen times the text.
        let su = select(-1, 1, (corner & 1) == 1);
        let sv = select(-1, 1, (corner & 2) == 2);
        let far_u = select(u - range.u0, range.u1 - u, su == 1);
        let far_v = select(v - range.v0, range.v1 - v, sv == 1);
        if (far_u < 0 || far_v < 0) {
          continue;
        }
        let near_u = max(0, select(u - range.u1, range.u0 - u, su == 1));
        let near_v = max(0, select(v - range.v1, range.v0 - v, sv == 1));
        let a = odds(select(near_u, far_u, (corner & 4) == 4));
        let b = odds(select(near_v, far_v, (corner & 8) == 8));
        let h = near[4 + su];
        let t = near[4 + 3 * sv];
        let d = near[4 + su + 3 * sv];
        let loss = (1.0 + a) * (1.0 + b) * LOSS;
        implied.x = min(implied.x, low + a * (low - h.y) + b * (low - t.y) + a * b * (low - d.y) - loss);
        implied.y = max(implied.y, high + a * (high - h.x) + b * (high - t.x) + a * b * (high - d.x) + loss);
      }
      ends = vec2f(max(ends.x, implied.x), min(ends.y, implied.y));
    }
    if (ends.x > ends.y) {
      atomicOr(&refuted[id.z], 1u);
    }
    output[plane_at(2u * id.z, place.channel) + place.offset] = ends.x;
    output[plane_at(2u * id.z + 1u, place.channel) + place.offset] = ends.y;
  }
}
