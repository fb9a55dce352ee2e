/**
 * The uniform that every image kernel is told, and how images are cut into tiles where workgroup memory ends.
 */
import { type Gpu, TurnproofError, uniform } from '@turnproof/core';
import { fractionBits, type ImageShape } from './geometry.ts';
import { blurTaps, keepLimits, type Preprocess } from './preprocess.ts';

export const imageParams = uniform({
  width: 'i32',
  height: 'i32',
  channels: 'i32',
  tiles_x: 'i32',
  frac_bits: 'u32',
  unit: 'f32',
  center_u: 'i32',
  center_v: 'i32',
  radius: 'i32',
  keep_r2: 'i32',
  keep_x: 'i32',
  keep_y: 'i32',
});

export const NO_PREPROCESS: Preprocess = { vignette: { kind: 'none' }, blur: null };

export function imageParamValues(shape: ImageShape, pre: Preprocess = NO_PREPROCESS, tilesX = 1) {
  const bits = fractionBits(shape);
  const keep = keepLimits(shape, pre.vignette);
  return {
    width: shape.width,
    height: shape.height,
    channels: shape.channels,
    tiles_x: tilesX,
    frac_bits: bits,
    unit: 2 ** -bits,
    center_u: (shape.width - 1) * 2 ** (bits - 1),
    center_v: (shape.height - 1) * 2 ** (bits - 1),
    radius: (blurTaps(pre.blur).length - 1) / 2,
    keep_r2: keep.r2,
    keep_x: keep.x,
    keep_y: keep.y,
  };
}

export interface Tiling {
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly tilesX: number;
  readonly tiles: number;
  /** Threads of a workgroup along either axis. */
  readonly side: number;
  readonly overrides: Readonly<
    Record<'TILE_WIDTH' | 'TILE_HEIGHT' | 'REGION_SIZE' | 'ROWS_SIZE' | 'SIDE', number>
  >;
}

/** Bytes of workgroup memory that a kernel keeps for its reduction, at most. */
const REDUCTION_BYTES = 1024;

/**
 * Threads of a workgroup along either axis: enough to keep a GPU busy. A software adapter runs them in turns and
 * changes from one to the next at each barrier: there few threads with many pixels each take 0.5 to 0.7 (lavapipe) or
 * 0.2 to 0.35 (SwiftShader) of the time.
 */
export function workgroupSide({ adapter }: Pick<Gpu, 'adapter'>): number {
  return adapter.kind === 'software' ? 4 : 16;
}

/**
 * The whole image as one tile where workgroup memory holds it, else square tiles as large as it allows.
 *
 * @param fieldBytes - Bytes of one pixel's field: 4, or 8 for intervals.
 * @param memory - Workgroup memory of the adapter in bytes.
 * @param side - See {@link workgroupSide}.
 */
export function tilingFor(
  { height, width }: ImageShape,
  pre: Preprocess,
  fieldBytes: number,
  memory: number,
  side = 16,
): Tiling {
  const radius = (blurTaps(pre.blur).length - 1) / 2;
  const cells = Math.floor((memory - REDUCTION_BYTES) / fieldBytes);
  const sizes = (w: number, h: number) => {
    const regionHeight = Math.min(height, h + 2 * radius);
    return { region: Math.min(width, w + 2 * radius) * regionHeight, rows: w * regionHeight };
  };
  const make = (tileWidth: number, tileHeight: number): Tiling => {
    const { region, rows } = sizes(tileWidth, tileHeight);
    const tilesX = Math.ceil(width / tileWidth);
    return {
      tileWidth,
      tileHeight,
      tilesX,
      tiles: tilesX * Math.ceil(height / tileHeight),
      side,
      overrides: {
        TILE_WIDTH: tileWidth,
        TILE_HEIGHT: tileHeight,
        REGION_SIZE: region,
        ROWS_SIZE: rows,
        SIDE: side,
      },
    };
  };
  const fits = (w: number, h: number) => {
    const { region, rows } = sizes(w, h);
    return region + rows <= cells;
  };
  if (fits(width, height)) return make(width, height);
  for (let tile = 64; tile >= 4; tile -= 4) {
    const [w, h] = [Math.min(tile, width), Math.min(tile, height)];
    if (fits(w, h)) return make(w, h);
  }
  throw new TurnproofError(
    'gpu',
    `a blur of radius ${radius} needs more workgroup memory than ${memory} bytes`,
  );
}
