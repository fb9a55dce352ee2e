/** Sampling the smoothed classifiers: counter streams, the stream of batches, the questions that methods ask. */
export { AUDIT_EVERY, SampleAudit, SampleMismatch } from './audit.ts';
export type { Counted, Engine, EngineRun, Placement, Returned, SampleBatch } from './engine.ts';
export { GpuEngine, type GpuEngineOptions, type Usage } from './gpu-engine.ts';
export { type ParityImagesOptions, parityImages } from './parity-images.ts';
export {
  type CountRequest,
  decisionRule,
  type InnerResult,
  LOOK,
  type PointRequest,
  type SampledImage,
  Sampler,
  type TestedPoint,
  type TestRequest,
} from './sampler.ts';
export type { Job, SpottedSample, Spotter, Tally } from './schedule.ts';
export { type BetaSource, counterWord, PURPOSES, type Purpose, Streams } from './streams.ts';
