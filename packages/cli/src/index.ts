/** The command line as a library: for tests and for programs that embed it. */
export {
  type DataImage,
  type Dataset,
  openDataset,
  type Selection,
  type Shape,
  selectIndices,
} from './data/index.ts';
export { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE } from './failure.ts';
export { main } from './main.ts';
