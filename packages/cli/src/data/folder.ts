/**
 * Images in a folder: DIR/<class>/<file>.png or .jpg, or wherever a CSV of labels says. The words for classes decide
 * their numbers (class-words.ts), the code points of file names their order (by a CSV: as it lists them), so `index` and
 * `label` are the same on every system. What is done with one file is said in image-file.ts; whatever else is done to
 * pixels belongs to the certified pipeline. Hence all images have one size (a crop of the middle is offered, resizing is
 * not) and one number of channels: 1 when all are grey, 3 when all are colour. Links are followed; folders inside class
 * folders are refused.
 *
 * Headers and the presence of each file's end mark are checked on opening; damage further inside shows on reading.
 */
import { join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { type NamedClass, namedClasses, readClassWords } from './class-words.ts';
import { listFolder, pathKind, requireFolder } from './files.ts';
import { cropMiddle, isLargeEnough, parseFit } from './fit.ts';
import { decodeImage, IMAGE_NAME, readHeader } from './image-file.ts';
import { readLabelsCsv } from './labels-csv.ts';
import { type Dataset, makeDataset, type Shape, shapeText } from './types.ts';

const FILES_AT_ONCE = 8;
/** Files that a message names. */
const NAMED = 3;

export interface FolderOptions {
  /** A crop, as --fit has it. */
  readonly fit?: string | undefined;
  /** Path of a CSV file. */
  readonly labels?: string | undefined;
}

interface ImageFile {
  readonly path: string;
  readonly name: string;
  readonly label: number;
}

/**
 * Opens a folder of images.
 *
 * @throws TurnproofError 'bad-input' for an empty folder or class, files that are missing or no images, and images that
 *   differ in size or channels (the first few are named).
 */
export async function openFolder(
  spec: string,
  folder: string,
  { fit, labels }: FolderOptions = {},
): Promise<Dataset> {
  const crop = fit === undefined ? null : parseFit(fit);
  const { classes, named, files } =
    labels === undefined ? await listImages(folder) : await labelledImages(folder, labels);
  const stored: Shape[] = [];
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const group = files.slice(start, start + FILES_AT_ONCE);
    stored.push(...(await Promise.all(group.map(async ({ path }) => (await readHeader(path)).shape))));
  }
  if (crop) {
    const small = files.filter(
      (_, i) => !isLargeEnough(stored[i] ?? { channels: 0, height: 0, width: 0 }, crop),
    );
    if (small.length > 0) {
      const names = small.slice(0, NAMED).map((file) => {
        const { height, width } = stored[files.indexOf(file)] ?? { height: 0, width: 0 };
        return `${file.path} (${height} x ${width})`;
      });
      throw badInput(
        `${names.join(', ')}${andMore(small.length)}: smaller than --fit ${fit}`,
        'Crop to a smaller size, or leave these out: images are never padded.',
      );
    }
  }
  const shapes = stored.map((shape) => (crop ? { ...shape, ...crop } : shape));
  const [shape] = shapes;
  if (!shape) throw noClasses(folder);
  const odd = files.flatMap((file, i) =>
    shapeText(shapes[i] ?? shape) === shapeText(shape) ? [] : [{ ...file, shape: stored[i] ?? shape }],
  );
  if (odd.length > 0) throw unequal(files[0]?.path ?? '', stored[0] ?? shape, odd);
  return makeDataset({
    spec,
    classes,
    named,
    shape,
    size: files.length,
    name: (index) => files[index]?.name ?? '',
    label: (index) => files[index]?.label ?? null,
    pixels: async (index) => {
      const file = files[index];
      const before = stored[index];
      if (!file || !before) throw new TurnproofError('internal', `no file ${index}`);
      // The file may have changed since it was checked.
      const header = await readHeader(file.path);
      if (shapeText(header.shape) !== shapeText(before)) {
        throw unequal(files[0]?.path ?? '', stored[0] ?? shape, [{ ...file, shape: header.shape }]);
      }
      const pixels = await decodeImage(file.path, header);
      return crop ? cropMiddle(pixels, header.shape, crop) : pixels;
    },
  });
}

interface FolderImages {
  readonly classes: readonly string[] | null;
  readonly named: readonly NamedClass[];
  readonly files: readonly ImageFile[];
}

async function labelledImages(folder: string, csv: string): Promise<FolderImages> {
  await requireFolder(folder);
  const { classes, named, files } = await readLabelsCsv(csv);
  const found: ImageFile[] = [];
  const missing: string[] = [];
  for (const { name, label } of files) {
    const path = join(folder, name);
    if (!IMAGE_NAME.test(name))
      throw badInput(`${csv}: ${path} is neither .png, .jpg nor .jpeg`, 'Convert it.');
    if ((await pathKind(path)) === 'missing') missing.push(path);
    found.push({ path, name, label });
  }
  if (missing.length > 0) {
    throw badInput(
      `${csv} names ${missing.slice(0, NAMED).join(', ')}${andMore(missing.length)}: no such file`,
      'Add the files, or take their lines out.',
    );
  }
  return { classes, named, files: found };
}

/** A class folder without images is a class all the same: the numbers of the others depend on it. */
async function listImages(folder: string): Promise<FolderImages> {
  const classes: string[] = [];
  const found: { readonly className: string; readonly path: string; readonly name: string }[] = [];
  for (const className of await listFolder(folder)) {
    const classFolder = join(folder, className);
    if ((await pathKind(classFolder)) !== 'folder') {
      // A README beside the classes does no harm; an image there would be left out without a word.
      if (!IMAGE_NAME.test(className)) continue;
      throw badInput(
        `${classFolder}: lies in no class folder`,
        'Move it into the folder of its class, or give --labels FILE.csv.',
      );
    }
    for (const name of await listFolder(classFolder)) {
      const path = join(classFolder, name);
      if (!IMAGE_NAME.test(name)) {
        throw badInput(
          `${path}: is neither .png, .jpg nor .jpeg`,
          'Class folders hold images alone: convert or move it.',
        );
      }
      found.push({ className, path, name: `${className}/${name}` });
    }
    classes.push(className);
  }
  if (classes.length === 0) throw noClasses(folder);
  if (found.length === 0)
    throw badInput(`${folder}: its class folders are all empty`, 'Add PNG or JPEG files.');
  const words = classes.map((word) => ({ word, where: '' }));
  const { names, numberOf } = readClassWords(folder, words, 'names');
  const files = found.map(({ className, ...file }) => ({ ...file, label: numberOf.get(className) ?? 0 }));
  return { classes: names, named: namedClasses(numberOf), files };
}

function noClasses(folder: string): Error {
  return badInput(
    `${folder}: has no class folders`,
    'Put the images into one subfolder for each class, also if there is only one, or give --labels FILE.csv.',
  );
}

const andMore = (count: number): string => (count > NAMED ? ` and ${count - NAMED} more` : '');

function unequal(
  firstPath: string,
  first: Shape,
  odd: readonly { readonly path: string; readonly shape: Shape }[],
): Error {
  const named = odd.slice(0, NAMED).map(({ path, shape }) => `${path} is ${shapeText(shape)}`);
  const sizes = odd.some(({ shape }) => shape.channels !== first.channels)
    ? 'Give images of one size, all grey or all colour: none is resized or converted here.'
    : 'Give images of one size, or the middle of each: --fit crop:28. None is resized here.';
  return badInput(
    `${firstPath} is ${shapeText(first)} (channels x height x width), but ${named.join(', ')}${andMore(odd.length)}`,
    sizes,
  );
}
