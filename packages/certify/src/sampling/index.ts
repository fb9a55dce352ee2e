/** Sampling the smoothed classifiers: counter streams, the stream of batches, the questions that methods ask. */
export { GpuEngine, type GpuEngineOptions, type Usage } from './gpu-engine.ts';
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
export type { Engine, EngineRun, Job, Placement, SampleBatch, Tally } from './schedule.ts';
export { type BetaSource, counterWord, PURPOSES, type Purpose, Streams } from './streams.ts';
