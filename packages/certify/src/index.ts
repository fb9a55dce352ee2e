/**
 * From counts and bounds to certificates: `Certifier` makes them, `verifyCertificate` checks them. The statistics alone
 * are `@turnproof/certify/statistics`, the classifier alone is `@turnproof/certify/classifier`.
 */
export { adapterFault } from './adapter-fault.ts';
export {
  type Answer,
  type AttackedImage,
  Attacker,
  type AttackerOptions,
  type AttackOutcome,
  type Attempt,
} from './attack.ts';
export {
  type BetaBound,
  type Bounder,
  type BounderOptions,
  type BoundGoal,
  type BoundMethod,
  type BoundRequest,
  extraError,
  openBounder,
  SampledErrors,
} from './bounds/index.ts';
export * from './calibration/index.ts';
export * from './certificate/index.ts';
export {
  Certifier,
  type CertifierImage,
  type CertifierOptions,
} from './certifier.ts';
export {
  type Adaptation,
  adaptationWords,
  type Classifier,
  checkParity,
  gapWords,
  type InspectedModel,
  inspectModel,
  type ModelInfo,
  type OpenClassifierOptions,
  openClassifier,
  PARITY_IMAGES,
  ParityGuard,
  type ParityReport,
  type Preparation,
  type Provider,
  prepareModel,
  webgpuGaps,
} from './classifier/index.ts';
export type { Progress, Stage } from './methods/method.ts';
export { latticeNoise, type PixelNoise, samplerError } from './noise.ts';
export { checkPipeline, type Pipeline } from './pipeline.ts';
export { checkPlan, type Method, type Plan } from './plan.ts';
export type { Prediction } from './prediction.ts';
export {
  AUDIT_EVERY,
  type ParityImagesOptions,
  parityImages,
  SampleMismatch,
  Streams,
} from './sampling/index.ts';
