/** Data: damaged, hostile, of another kind. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { chunk, idxImages, idxLabels, npy, png, uint32s } from '../../src/data/testing/files.ts';
import { type Case, certifyWith } from './case.ts';

const grey = (height: number, width: number, colourType = 0, value: readonly number[] = [90]): Buffer =>
  png({
    width,
    height,
    bitDepth: 8,
    colourType,
    rows: Array.from({ length: height }, () => Array(width).fill(value).flat()),
  });

const floats = (...values: number[]) =>
  new Uint8Array(Float32Array.from({ length: 16 }, (_, i) => values[i] ?? 0.5).buffer);
const header = (shape: string, descr = '<f4', order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** An archive with one deflated member of `size` zero bytes. */
function zipOfZeros(size: number): Buffer {
  const content = Buffer.alloc(size);
  const packed = deflateRawSync(content, { level: 9 });
  const name = Buffer.from('arr_0.npy');
  const start = Buffer.alloc(30);
  start.writeUInt32LE(0x04034b50, 0);
  start.writeUInt16LE(20, 4);
  start.writeUInt16LE(8, 8);
  start.writeUInt32LE(crc32(content), 14);
  start.writeUInt32LE(packed.length, 18);
  start.writeUInt32LE(size, 22);
  start.writeUInt16LE(name.length, 26);
  return Buffer.concat([start, name, packed]);
}

/** A PNG of 4 x 4 whose pixels, or whose text, unpack to far more. */
function pngBomb(where: 'IDAT' | 'zTXt'): Buffer {
  const zeros = deflateSync(Buffer.alloc(2 ** 28), { level: 9 });
  const whole = grey(4, 4);
  const end = whole.subarray(-12);
  if (where === 'IDAT') return Buffer.concat([whole.subarray(0, 33), chunk('IDAT', zeros), end]);
  const text = chunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), zeros]));
  return Buffer.concat([whole.subarray(0, 33), text, whole.subarray(33)]);
}

export async function dataCases(inputs: string): Promise<Case[]> {
  const write = async (name: string, bytes: Uint8Array | string): Promise<void> => {
    const path = join(inputs, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  };
  const images = idxImages([3, 4, 4], new Uint8Array(48));
  const labels = idxLabels([0, 1, 2]);
  const IMAGES = 't10k-images-idx3-ubyte';
  const LABELS = 't10k-labels-idx1-ubyte';
  const mnist = async (name: string, first: Uint8Array, second: Uint8Array = labels, ending = '') => {
    await write(`${name}/${IMAGES}${ending}`, first);
    await write(`${name}/${LABELS}`, second);
  };
  await mnist('idx-cut', images.subarray(0, 40));
  await mnist('idx-magic', Buffer.concat([Buffer.from([0, 0, 9, 3]), images.subarray(4)]));
  await mnist('idx-zeros', new Uint8Array(64));
  await mnist('idx-huge', Buffer.concat([Buffer.from([0, 0, 8, 3]), uint32s(2 ** 31, 2 ** 15, 2 ** 15)]));
  await mnist('idx-label', images, idxLabels([9, 200, 0]));
  await mnist('idx-count', images, idxLabels([0, 1]));
  await mnist('gz-cut', gzipSync(images).subarray(0, -9), labels, '.gz');
  await mnist(
    'gz-bomb',
    gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 28)]), { level: 9 }),
    labels,
    '.gz',
  );
  await mnist('gz-lie', gzipSync(idxImages([2 ** 31, 255, 255], new Uint8Array(9))), labels, '.gz');
  await write('short.bin', Buffer.alloc(3073 + 100));
  await write('label.bin', Buffer.alloc(3073, 77));
  await write('nan.npy', npy(header('(1, 1, 4, 4)'), floats(Number.NaN)));
  await write('infinite.npy', npy(header('(1, 1, 4, 4)'), floats(0, Number.POSITIVE_INFINITY)));
  await write('high.npy', npy(header('(1, 1, 4, 4)'), floats(0, 200)));
  await write('huge.npy', npy(header('(99999999999, 1, 4, 4)'), floats()));
  await write('objects.npy', npy(header('(1, 1, 4, 4)', '|O'), floats()));
  await write('fortran.npy', npy(header('(1, 1, 4, 4)', '<f4', 'True'), floats()));
  await write(
    'magic.npy',
    Buffer.concat([Buffer.from('x'), npy(header('(1, 1, 4, 4)'), floats()).subarray(1)]),
  );
  await write('header.npy', Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff{', 'latin1'));
  await write('bomb.npz', zipOfZeros(2 ** 28));
  await write(
    '3.npy',
    npy(header('(1, 3, 3, 3)'), new Uint8Array(Float32Array.from(Array(27).fill(0.5)).buffer)),
  );
  await write('dir-cut/a/1.png', grey(4, 4).subarray(0, 50));
  await write(
    'dir-bad/a/1.png',
    Buffer.concat([grey(4, 4).subarray(0, 45), Buffer.alloc(30), Buffer.from('IEND')]),
  );
  await write(
    'dir-huge/a/1.png',
    png({ width: 60_000, height: 60_000, bitDepth: 8, colourType: 2, rows: [[1, 2, 3]] }),
  );
  await write('dir-bomb/a/1.png', pngBomb('IDAT'));
  await write('dir-text/a/1.png', pngBomb('zTXt'));
  await write('dir-alpha/a/1.png', grey(4, 4, 6, [1, 2, 3, 4]));
  await write('dir-sizes/a/1.png', grey(4, 4));
  await write('dir-sizes/a/2.png', grey(5, 6));
  await write('dir-webp/a/1.png', 'RIFF\0\0\0\0WEBPVP8 ');
  await write('dir-script/a/1.jpg', '#!/bin/sh\necho hello\n');
  await write('dir-flat/1.png', grey(4, 4));
  await write('dir-odd/\u001b[31m<img src=x>/1.png', grey(4, 4).subarray(0, 50));
  await write(`dir-deep/${'d/'.repeat(400)}1.png`, grey(4, 4));
  await mkdir(join(inputs, 'dir-empty'));
  await mkdir(join(inputs, 'dir-loop'));
  await symlink('.', join(inputs, 'dir-loop/a'));
  await mkdir(join(inputs, 'dir-self'));
  await symlink('self', join(inputs, 'dir-self/self'));
  await mkdir(join(inputs, 'dir-dangling/a'), { recursive: true });
  await symlink('nowhere.png', join(inputs, 'dir-dangling/a/1.png'));
  await mkdir(join(inputs, 'dir-device/a'), { recursive: true });
  await symlink('/dev/zero', join(inputs, 'dir-device/a/1.png'));
  await mkdir(join(inputs, 'dir-pipe/a'), { recursive: true });
  execFileSync('mkfifo', [join(inputs, 'dir-pipe/a/1.png')]);
  await write('dir-locked/a/1.png', grey(4, 4));
  execFileSync('chmod', ['000', join(inputs, 'dir-locked/a')]);
  await write('dir-secret/a/1.png', grey(4, 4));
  execFileSync('chmod', ['600', join(inputs, 'dir-secret/a/1.png')]);
  const csvs: Record<string, string> = {
    missing: 'file,label\na/1.png,0\na/7.png,1\n',
    doubled: 'file,label\na/1.png,0\na/1.png,1\n',
    upwards: 'file,label\n../mnist/1.png,0\n',
    mixed: 'file,label\na/1.png,0\na/2.png,cat\n',
    header: 'a/1.png,0\n',
    quote: 'file,label\n"a/1.png,0\n',
    binary: '\0\x01\x02\xff\xfe',
    long: `file,label\n${'x'.repeat(1_000_000)},0\n`,
  };
  for (const [name, text] of Object.entries(csvs)) await write(`${name}.csv`, text);
  const data = (what: string, spec: string, more: Partial<Case> = {}): Case => ({
    what: `data: ${what}`,
    args: certifyWith(inputs, { data: spec }),
    ...more,
  });
  const at = (kind: string, name: string) => `${kind}:${join(inputs, name)}`;
  const folder = (what: string, name: string, more: Partial<Case> = {}) =>
    data(what, at('folder', name), more);
  /** As far as every image was read. */
  const dry = (name: string): Partial<Case> => ({
    args: [...certifyWith(inputs, { data: at('folder', name) }), '--dry-run'],
    codes: [0, 2],
  });
  const csv = (name: string): Case => ({
    what: `data: labels, ${name}`,
    args: certifyWith(inputs, {
      data: at('folder', 'dir-sizes'),
      fit: 'crop:4',
      labels: join(inputs, `${name}.csv`),
    }),
  });
  return [
    data('a missing folder', at('mnist', 'nowhere')),
    data('IDX cut', at('mnist', 'idx-cut')),
    data('IDX with a wrong magic number', at('mnist', 'idx-magic')),
    data('IDX of zero bytes', at('mnist', 'idx-zeros')),
    data('IDX that declares 2 EiB', at('mnist', 'idx-huge')),
    data('IDX with a label beyond 9', at('mnist', 'idx-label')),
    data('IDX with fewer labels than images', at('mnist', 'idx-count')),
    data('gzip cut', at('mnist', 'gz-cut')),
    data('gzip bomb', at('mnist', 'gz-bomb')),
    data('gzip that declares 130 TiB', at('mnist', 'gz-lie')),
    data('CIFAR cut', at('cifar10', 'short.bin')),
    data('CIFAR with label 77', at('cifar10', 'label.bin')),
    data('an endless device', 'cifar10:/dev/zero'),
    data('npy with NaN', at('npy', 'nan.npy')),
    data('npy with infinity', at('npy', 'infinite.npy')),
    data('npy above 1', at('npy', 'high.npy')),
    data('npy that declares 6 TiB', at('npy', 'huge.npy')),
    data('npy of Python objects', at('npy', 'objects.npy')),
    data('npy in Fortran order', at('npy', 'fortran.npy')),
    data('npy with a wrong magic number', at('npy', 'magic.npy')),
    data('npy with a 4 GiB header', at('npy', 'header.npy')),
    data('npz, a zip bomb', at('npy', 'bomb.npz')),
    data('images of another shape than the model', at('npy', '3.npy')),
    folder('an empty folder', 'dir-empty'),
    folder('images outside class folders', 'dir-flat'),
    folder('folders 400 deep', 'dir-deep'),
    folder('a class that links to its parent', 'dir-loop'),
    folder('a link to itself', 'dir-self'),
    folder('a dangling link', 'dir-dangling'),
    folder('a link to a device', 'dir-device'),
    folder('a pipe that nobody writes to', 'dir-pipe'),
    folder('PNG cut', 'dir-cut'),
    folder('PNG damaged inside', 'dir-bad'),
    folder('PNG that declares 60,000 x 60,000', 'dir-huge'),
    folder('PNG with 256 MiB of pixels too many', 'dir-bomb', dry('dir-bomb')),
    folder('PNG with 256 MiB of packed text', 'dir-text', dry('dir-text')),
    folder('PNG with transparency', 'dir-alpha'),
    folder('WebP under the name of a PNG', 'dir-webp'),
    folder('a script under the name of a JPEG', 'dir-script'),
    folder('a class named in control characters', 'dir-odd'),
    folder('images of unequal size', 'dir-sizes'),
    folder('a crop larger than the images', 'dir-sizes', {
      args: certifyWith(inputs, { data: at('folder', 'dir-sizes'), fit: 'crop:5' }),
    }),
    folder('an image that may not be read', 'dir-secret', { as: 'nobody' }),
    folder('a class that may not be read', 'dir-locked', { as: 'nobody' }),
    ...Object.keys(csvs).map(csv),
  ];
}
