/** The built-in example: traffic signs drawn by code. Not for reading data files or running models. */
export {
  defaultSeed,
  drawSign,
  type SignImage,
  type SignRequest,
  type Split,
  signSize,
  streamOf,
} from './draw.ts';
export { signsClasses } from './faces.ts';
export { drawRecords, recordBytes, testCount } from './records.ts';
export type { Hardship } from './scene.ts';
