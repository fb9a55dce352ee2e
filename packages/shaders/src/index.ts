export * from './budgets.ts';
export * from './generated/wgsl.ts';
export * from './geometry.ts';
export * from './kernels/argmax-count/argmax-count.kernel.ts';
export * from './kernels/box-hull/box-hull.kernel.ts';
export * from './kernels/box-remainder/box-remainder.kernel.ts';
export * from './kernels/chord-error/chord-error.kernel.ts';
export * from './kernels/interval-error/interval-error.kernel.ts';
export * from './kernels/inverse/inverse.kernel.ts';
export * from './kernels/noise/noise.kernel.ts';
export * from './kernels/pair-kernel.ts';
export * from './kernels/pixel-kernel.ts';
export * from './kernels/point-error/point-error.kernel.ts';
export * from './kernels/slice-distance/slice-distance.kernel.ts';
export * from './kernels/slice-remainder/slice-remainder.kernel.ts';
export * from './kernels/warp/warp.kernel.ts';
export * from './kernels/warp-pre/warp-pre.kernel.ts';
export * from './layout.ts';
export {
  latticeBitsOf,
  type NoiseLaw,
  noiseLawOf,
  noiseVariation,
} from './noise-law.ts';
export * from './preprocess.ts';
