/**
 * The kernels' float64 twins: for tests, for checks of certificates without a GPU, for scale in the bench. Slow.
 */
export * from './kernels/argmax-count/argmax-count.oracle.ts';
export * from './kernels/box-hull/box-hull.oracle.ts';
export * from './kernels/box-remainder/box-remainder.oracle.ts';
export * from './kernels/chord-error/chord-error.oracle.ts';
export * from './kernels/interval-error/interval-error.oracle.ts';
export * from './kernels/inverse/inverse.oracle.ts';
export * from './kernels/noise/noise.oracle.ts';
export * from './kernels/point-error/point-error.oracle.ts';
export * from './kernels/slice-distance/slice-distance.oracle.ts';
export * from './kernels/slice-remainder/slice-remainder.oracle.ts';
export * from './kernels/warp/warp.oracle.ts';
export * from './kernels/warp-pre/warp-pre.oracle.ts';
