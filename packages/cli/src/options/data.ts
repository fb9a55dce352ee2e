/** --data and the choice of its images. */
import { DATA_KINDS, type FolderOptions, type Selection } from '../data/index.ts';
import { parseShard, type ShardChoice } from './shard.ts';
import type { OptionGroup, Values } from './values.ts';

export const dataOptions: OptionGroup = {
  heading: 'Data:',
  options: [
    {
      name: 'data',
      value: 'SPEC',
      help: `images: ${Object.values(DATA_KINDS).join(', ')}; signs are built in`,
    },
    { name: 'labels', value: 'FILE.csv', help: 'folder: columns file,label instead of class subfolders' },
    { name: 'fit', value: 'crop:S|crop:HxW', help: 'folder: the middle of each image; none is ever resized' },
    { name: 'index', value: 'LIST', help: 'images by number, such as 3,7,10-19' },
    { name: 'skip', value: 'N', help: 'leave out the first N images' },
    { name: 'limit', value: 'N', help: 'take at most N images' },
    { name: 'stride', value: 'N', help: 'take every Nth image' },
  ],
};

export interface DataChoice {
  readonly spec: string;
  readonly folder: FolderOptions;
  readonly selection: Selection;
  /** Absent: all of them. */
  readonly shard?: ShardChoice;
}

export function readData(values: Values): DataChoice {
  const shard = values.text('shard');
  return {
    ...(shard === undefined ? {} : { shard: parseShard(shard, process.env) }),
    spec: values.required('data', 'Give --data signs for the built-in images, or see --help.'),
    folder: readFolderOptions(values),
    selection: {
      index: values.text('index'),
      skip: values.whole('skip', 0),
      limit: values.whole('limit', 0),
      stride: values.whole('stride', 1),
    },
  };
}

/** What --data folder:DIR may be told. */
export function readFolderOptions(values: Values): FolderOptions {
  return { fit: values.text('fit'), labels: values.text('labels') };
}
