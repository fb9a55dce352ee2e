/** Weights beside a model: only what lies in its own folder, only as much as is there and as the shape says. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectModel, inspectModelBytes } from '../model.ts';
import { linearModel } from '../onnx-writer.test-support.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema } from './onnx-pb.ts';
import { decodeModel } from './tree.ts';

const image = [1, 2, 2];
const BYTES = 4 * 3 * 4;

type Entries = Readonly<Record<string, string>>;

/** A linear model whose weights «w» are said to be elsewhere. */
function externalModel(entries: Entries, dims?: readonly bigint[]) {
  const tree = decodeModel('m', linearModel({ image, classes: 3 }).bytes);
  const w = tree.graph?.initializer.find(({ name }) => name === 'w');
  if (!w) throw new Error('no w');
  const weights = Uint8Array.from(w.rawData);
  w.rawData = new Uint8Array();
  w.dataLocation = 1;
  w.externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  if (dims) w.dims = [...dims];
  return { bytes: new Uint8Array(toBinary(ModelProtoSchema, tree)), weights };
}

let root: string;
let models: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'turnproof-external-'));
  models = join(root, 'models');
  await mkdir(join(models, 'sub'), { recursive: true });
  const { weights } = externalModel({ location: 'x' });
  await writeFile(join(models, 'w.bin'), weights);
  await writeFile(join(models, 'sub/w.bin'), Buffer.concat([Buffer.alloc(16), weights]));
  await writeFile(join(root, 'secret.bin'), weights);
  await writeFile(join(models, 'short.bin'), weights.subarray(1));
  await writeFile(join(models, 'huge.bin'), '');
  await truncate(join(models, 'huge.bin'), 2 ** 32); // sparse: takes no space
  await symlink('../secret.bin', join(models, 'out.bin'));
  await symlink('w.bin', join(models, 'in.bin'));
  await symlink('loop.bin', join(models, 'loop.bin'));
  await symlink('..', join(models, 'up'));
  await symlink('sub', join(models, 'inner'));
  await symlink('../../secret.bin', join(models, 'sub/out.bin'));
  await symlink('none', join(models, 'dangling.bin'));
  await symlink('/dev/zero', join(models, 'zero.bin'));
  await symlink('/proc/self/environ', join(models, 'made.bin'));
});
afterAll(() => rm(root, { recursive: true }));

async function inspect(entries: Entries, dims?: readonly bigint[]) {
  const path = join(models, 'm.onnx');
  await writeFile(path, externalModel(entries, dims).bytes);
  return inspectModel(path);
}

describe('weights beside a model', () => {
  it.each([
    ['w.bin', { location: 'w.bin' }],
    ['w.bin', { location: 'w.bin', offset: '0', length: String(BYTES) }],
    ['sub/w.bin', { location: 'sub/w.bin', offset: '16' }],
    ['in.bin', { location: 'in.bin' }],
    // A link is made by the owner of the folder, not by the model.
    ['out.bin', { location: 'out.bin' }],
    ['sub/out.bin', { location: 'sub/out.bin' }],
    ['inner/w.bin', { location: 'inner/w.bin', offset: '16' }],
  ])('in %s become part of it, and their digest of what is known of it', async (file, entries) => {
    const { info, bytes } = await inspect(entries);
    const plain = linearModel({ image, classes: 3 });
    const of = file.endsWith('/w.bin') ? [Buffer.alloc(16)] : [];
    const content = Buffer.concat([...of, externalModel({ location: 'x' }).weights]);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(info.externalData).toEqual([{ file, sha256 }]);
    const w = decodeModel('m', bytes).graph?.initializer.find(({ name }) => name === 'w');
    expect(Buffer.from(w?.rawData ?? [])).toEqual(Buffer.from(plain.w.buffer));
  });

  it.each<[string, Entries, RegExp, (readonly bigint[])?]>([
    ['above its folder', { location: '../secret.bin' }, /no plain path below the model's folder/],
    ['above it, after a detour', { location: 'sub/../../secret.bin' }, /no plain path/],
    ['at an absolute path', { location: '/etc/passwd' }, /no plain path/],
    ['at a Windows path', { location: 'C:\\weights' }, /no plain path/],
    ['behind a backslash', { location: '..\\secret.bin' }, /no plain path/],
    ['behind a NUL', { location: 'w.bin\0.txt' }, /no plain path/],
    ['behind a linked folder that leads out', { location: 'up/secret.bin' }, /linked folder outside/],
    ['in a link to nothing', { location: 'dangling.bin' }, /is not there/],
    ['in a link to a device', { location: 'zero.bin' }, /no regular file/],
    ['in a file that is made as it is read', { location: 'made.bin' }, /which has 0/],
    ['behind a link to itself', { location: 'loop.bin' }, /cannot be read \(ELOOP\)/],
    ['nowhere', { location: 'none.bin' }, /is not there/],
    ['in no file', {}, /no file is named/],
    ['in a folder', { location: 'sub' }, /no regular file/],
    ['in a file that is cut', { location: 'short.bin' }, /needs bytes 0 to 48 of short\.bin, which has 47/],
    ['in a huge file', { location: 'huge.bin' }, /has 4294967296 bytes/],
    ['behind an offset beyond the end', { location: 'w.bin', offset: '1' }, /needs bytes 1 to 49/],
    ['behind an offset below 0', { location: 'w.bin', offset: '-1' }, /offset «-1»/],
    ['behind an offset beyond numbers', { location: 'w.bin', offset: '9'.repeat(30) }, /offset «999/],
    ['in fewer bytes than its shape', { location: 'w.bin', length: '4' }, /48 bytes by its shape, 4 by/],
    ['of a huge shape', { location: 'w.bin' }, /declares \d+ bytes; at most/, [2n ** 31n, 2n ** 31n]],
    ['of a shape that wraps around', { location: 'w.bin' }, /declares \d+ bytes/, [2n ** 62n, 4n]],
    ['of a negative shape', { location: 'w.bin' }, /negative size/, [-4n, 3n]],
  ])('%s are refused', async (_, entries, words, dims) => {
    await expect(inspect(entries, dims)).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringMatching(words),
        fix: expect.any(String),
      }),
    );
  });

  it('are found where model and weights are links into one folder, as in the caches of model hubs', async () => {
    const [blobs, snapshot] = [join(root, 'blobs'), join(root, 'snapshot')];
    await mkdir(blobs);
    await mkdir(snapshot);
    const { bytes, weights } = externalModel({ location: 'weights.bin' });
    await writeFile(join(blobs, '1111'), bytes);
    await writeFile(join(blobs, '2222'), weights);
    await symlink('../blobs/1111', join(snapshot, 'model.onnx'));
    await symlink('../blobs/2222', join(snapshot, 'weights.bin'));
    const { info } = await inspectModel(join(snapshot, 'model.onnx'));
    const sha256 = createHash('sha256').update(weights).digest('hex');
    expect(info.externalData).toEqual([{ file: 'weights.bin', sha256 }]);
  });

  it('are refused where no folder is known', async () => {
    const { bytes } = externalModel({ location: 'w.bin' });
    await expect(inspectModelBytes('m.onnx', bytes)).rejects.toThrow(/keeps its weights in another file/);
  });
});
