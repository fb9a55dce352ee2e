/** Calibrations for Dist-D: made, described, checked. */
export {
  type CalibrateOptions,
  type CalibrateProgress,
  chooseCalibrationE,
  type ErrorJudge,
  type TestedImage,
  testCalibrationE,
} from './calibrate.ts';
export { mostExceeding } from './claims.ts';
export {
  type CalibrationComparison,
  type CalibrationImage,
  calibrationImages,
  calibrationObstacles,
  replayCalibrationImage,
} from './replay.ts';
export {
  CALIBRATION_SCHEMA,
  type Calibration,
  type CalibrationSummary,
  calibrationSchema,
  calibrationSummary,
} from './schema.ts';
export { pipelineOfCalibration, verifyCalibration } from './verify.ts';
export { calibrationDifferences, calibrationWords } from './words.ts';
