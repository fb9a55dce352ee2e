// One workgroup (SIDE x SIDE threads) computes `pre` (blur after vignette) of a field of values on one tile of one channel: the field on
// the tile and its halo into workgroup memory, then a horizontal and a vertical pass. Pixels outside the image
// count as 0.
//
// Needs from the kernel: `alias Field` (f32, or vec2f for lower and upper ends: the blur's weights are not
// negative, so both ends pass through it); `struct Source` and `fn value_at(source: Source, x: i32, y: i32) -> Field`,
// the field before vignette and blur; storage `taps: array<f32>` of 2 radius + 1 weights.
// #import params

override TILE_WIDTH: u32 = 28;
override TILE_HEIGHT: u32 = 28;
/// Pixels of the largest tile with its halo, and of the tile's columns on the halo's rows.
override REGION_SIZE: u32 = 1024;
override ROWS_SIZE: u32 = 1024;

/// Threads of a workgroup along either axis.
override SIDE: u32 = 16;

var<workgroup> region: array<Field, REGION_SIZE>;
var<workgroup> rows: array<Field, ROWS_SIZE>;

struct Tile {
  /// Tile's origin and size, halo's origin and size, all clipped to the image.
  x: i32, y: i32, width: i32, height: i32,
  region_x: i32, region_y: i32, region_width: i32, region_height: i32,
}

fn tile_at(index: u32) -> Tile {
  let tiles_x = u32(params.tiles_x);
  let x = i32((index % tiles_x) * TILE_WIDTH);
  let y = i32((index / tiles_x) * TILE_HEIGHT);
  let width = min(i32(TILE_WIDTH), params.width - x);
  let height = min(i32(TILE_HEIGHT), params.height - y);
  let region_x = max(0, x - params.radius);
  let region_y = max(0, y - params.radius);
  return Tile(
    x, y, width, height, region_x, region_y,
    min(params.width, x + width + params.radius) - region_x,
    min(params.height, y + height + params.radius) - region_y);
}

fn center_x(column: i32) -> i32 {
  return 2 * column - (params.width - 1);
}

fn center_y(row: i32) -> i32 {
  return 2 * row - (params.height - 1);
}

fn kept(x: i32, y: i32) -> bool {
  return x * x + y * y <= params.keep_r2 && abs(x) <= params.keep_x && abs(y) <= params.keep_y;
}

/// Fills `region` with the field of `source`, vignetted. Each thread visits the same pixels in every such loop.
fn fill_region(tile: Tile, source: Source, thread: vec2u) {
  for (var row = i32(thread.y); row < tile.region_height; row += i32(SIDE)) {
    for (var column = i32(thread.x); column < tile.region_width; column += i32(SIDE)) {
      let x = center_x(tile.region_x + column);
      let y = center_y(tile.region_y + row);
      var value = Field();
      if (kept(x, y)) {
        value = value_at(source, x, y);
      }
      region[u32(row * tile.region_width + column)] = value;
    }
  }
}

/// Fills `rows` with `region` blurred along its rows; begins and ends with a barrier.
fn blur_rows(tile: Tile, thread: vec2u) {
  workgroupBarrier();
  for (var row = i32(thread.y); row < tile.region_height; row += i32(SIDE)) {
    for (var column = i32(thread.x); column < tile.width; column += i32(SIDE)) {
      let at = column + tile.x - tile.region_x;
      let first = max(0, at - params.radius);
      let last = min(tile.region_width - 1, at + params.radius);
      var sum = Field();
      for (var c = first; c <= last; c++) {
        sum += taps[u32(c - at + params.radius)] * region[u32(row * tile.region_width + c)];
      }
      rows[u32(row * tile.width + column)] = sum;
    }
  }
  workgroupBarrier();
}

/// The blurred field at a pixel of the tile, from `rows`.
fn blurred(tile: Tile, column: i32, row: i32) -> Field {
  let at = row + tile.y - tile.region_y;
  let first = max(0, at - params.radius);
  let last = min(tile.region_height - 1, at + params.radius);
  var sum = Field();
  for (var r = first; r <= last; r++) {
    sum += taps[u32(r - at + params.radius)] * rows[u32(r * tile.width + column)];
  }
  return sum;
}
