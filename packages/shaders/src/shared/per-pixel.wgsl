// Columns in x, the rows of all channels in y, items in z. A thread makes every row that `next_row` leads it to, so a
// dispatch may have fewer of them than rows.
//
// images [image, channels, height, width], output [item, channels, height, width] (or as the kernel says).
// #import params

@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<i32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

/// Rows of threads in a workgroup.
override ROWS: u32 = 16;

struct Place {
  x: i32, y: i32,
  channel: u32,
  /// Of this pixel in its plane.
  offset: u32,
}

/// Pixel of a column and a row of all channels.
fn place_of(at_column: u32, at_row: u32) -> Place {
  let column = i32(at_column);
  let row = i32(at_row) % params.height;
  return Place(
    2 * column - (params.width - 1), 2 * row - (params.height - 1),
    at_row / u32(params.height),
    u32(row * params.width + column));
}

/// Rows that a thread of this column makes: none beyond the image's edge.
fn rows_at(column: u32) -> u32 {
  return select(0u, u32(params.height * params.channels), column < u32(params.width));
}

fn next_row(row: u32, groups: vec3u) -> u32 {
  return row + ROWS * groups.y;
}

/// Where a plane of a stack of images starts.
fn plane_at(image: u32, channel: u32) -> u32 {
  return (image * u32(params.channels) + channel) * u32(params.width * params.height);
}
