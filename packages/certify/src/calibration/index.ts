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
  CALIBRATION_SCHEMA,
  type Calibration,
  type CalibrationSummary,
  calibrationSchema,
} from './schema.ts';
export { verifyCalibration } from './verify.ts';
export { calibrationDifferences, calibrationWords } from './words.ts';
