// One thread a pixel: columns in x, the rows of all channels in y, items in z.
//
// images [image, channels, height, width], output [item, channels, height, width] (or as the kernel says).
// #import params

@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

struct Place {
  /// False beyond the image's edge: nothing to do.
  inside: bool,
  x: i32, y: i32,
  channel: u32,
  /// Of this pixel in its plane.
  offset: u32,
}

fn place_of(id: vec3u) -> Place {
  let column = i32(id.x);
  let row = i32(id.y) % params.height;
  return Place(
    column < params.width && id.y < u32(params.height * params.channels),
    2 * column - (params.width - 1), 2 * row - (params.height - 1),
    id.y / u32(params.height),
    u32(row * params.width + column));
}

/// Where a plane of a stack of images starts.
fn plane_at(image: u32, channel: u32) -> u32 {
  return (image * u32(params.channels) + channel) * u32(params.width * params.height);
}
