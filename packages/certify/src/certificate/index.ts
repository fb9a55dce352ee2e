/** Certificates: what they are, how they are made from a result, how they are checked. No GPU, no classifier. */

export { type Asked, contradictions } from './asked.ts';
export { pipelineForJson, seedForJson } from './build.ts';
export { confidenceAt, percent } from './percent.ts';
export {
  compareReplay,
  type ReplayComparison,
  replayInputs,
  replayObstacles,
  replayPreparation,
} from './replay.ts';
export { ELSEWHERE_WORDS } from './replay-elsewhere.ts';
export {
  type BaseCertificate,
  CERTIFICATE_SCHEMA,
  type Certificate,
  certificateJsonSchema,
  certificateSchema,
  type DistDCertificate,
  type DistXCertificate,
  modelSchema,
  type Recovered,
  type SweepCertificate,
} from './schema.ts';
export { type Problem, type Verification, verifyCertificate } from './verify.ts';
export { currentVersions } from './versions.ts';
