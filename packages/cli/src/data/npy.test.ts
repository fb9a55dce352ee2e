/**
 * The base64 files were written by NumPy 2.4.6, the hashes by Python's hashlib over its float32 bytes:
 *   np.save(f, x); sha256((x[i] / 255 where uint8).astype('<f4').tobytes())
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { npy, refusalOf, type TemporaryFolder, temporaryFolder } from './testing/files.ts';

// np.arange(12).reshape(2, 1, 2, 3) / 16, float64
const FLOAT64 =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDEsIDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAALA/AAAAAAAAwD8AAAAAAADIPwAAAAAAANA/AAAAAAAA1D8AAAAAAADYPwAAAAAAANw/AAAAAAAA4D8AAAAAAADiPwAAAAAAAOQ/AAAAAAAA5j8=';
// np.array([0, 1/3, 0.5, 1], '<f4').reshape(1, 2, 2), as versions 1.0, 2.0 and 3.0
const FLOAT32 = [
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAq6qqPgAAAD8AAIA/',
  'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwgMiwgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAq6qqPgAAAD8AAIA/',
  'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwgMiwgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAq6qqPgAAAD8AAIA/',
];
// np.array([[[0, 1, 127], [128, 254, 255]]], 'u1')
const UINT8 =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAX+A/v8=';
// np.array([9, 0], type)
const LABELS: Record<string, string> = {
  i1: 'k05VTVBZAQB2AHsnZGVzY3InOiAnfGkxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAA==',
  u1: 'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAA==',
  i2: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAA',
  u2: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPHUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAA',
  i4: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAAAAAAAA==',
  u4: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAAAAAAAA==',
  i8: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAAAAAAAAAAAAAAAAAA',
  u8: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoJAAAAAAAAAAAAAAAAAAAA',
};
// np.asfortranarray(np.full((2, 1, 2, 3), 0.5, '<f4')); np.zeros((1, 2, 2), '>f4'); np.array([None, {}]);
// np.zeros(2, [('a', '<f4'), ('b', 'u1')]); np.array([3, -1], '<i8'); np.array([3, 2**31], '<u8'); np.float32(0.5)
const FORTRAN =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMSwgMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/AAAAPwAAAD8AAAA/AAAAPwAAAD8AAAA/AAAAPwAAAD8AAAA/AAAAPwAAAD8=';
const BIG_ENDIAN =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAAA';
const OBJECTS =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqABJWNAAAAAAAAAIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlChOfZRldJRiLg==';
const RECORDS =
  'k05VTVBZAQB2AHsnZGVzY3InOiBbKCdhJywgJzxmNCcpLCAoJ2InLCAnfHUxJyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAA';
const NEGATIVE =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoDAAAAAAAAAP//////////';
const TOO_BIG =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoDAAAAAAAAAAAAAIAAAAAA';
const SCALAR =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/';

const decode = (text: string): Buffer => Buffer.from(text, 'base64');
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

let root: TemporaryFolder;

beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

const refusal = async (images: Buffer, labels?: Buffer): Promise<string> => {
  const paths = [await root.write('images.npy', images)];
  if (labels !== undefined) paths.push(await root.write('labels.npy', labels));
  return refusalOf(() => openDataset(`npy:${paths.join(',')}`));
};

describe('npy:IMAGES[,LABELS] reads what NumPy writes', () => {
  it('float64 of [n, channels, height, width]', async () => {
    const data = await openDataset(`npy:${await root.write('f8.npy', decode(FLOAT64))}`);
    expect(data).toMatchObject({ size: 2, classes: null, classCount: null });
    expect(data.shape).toEqual({ channels: 1, height: 2, width: 3 });
    const image = await data.read(1);
    expect(image).toMatchObject({ index: 1, label: null, name: 'npy[1]' });
    expect([...image.pixels]).toEqual([6, 7, 8, 9, 10, 11].map((v) => v / 16));
    expect(image.sha256).toBe('9c02bc140d811531cf33af97f64a1131fcb26e01cbb0d95dd32fbd8c4fee6b19');
  });

  it.each([0, 1, 2])('float32 of [n, height, width], sample %i of the header versions', async (version) => {
    const data = await openDataset(`npy:${await root.write('f4.npy', decode(FLOAT32[version] ?? ''))}`);
    expect(data.shape).toEqual({ channels: 1, height: 2, width: 2 });
    const image = await data.read(0);
    expect([...image.pixels]).toEqual([0, Math.fround(1 / 3), 0.5, 1]);
    expect(image.sha256).toBe('bff36fe76086c3917ceb66b1158c27e757116a76b5173c9305915d6742b8de2c');
  });

  it('uint8, scaled by 1/255', async () => {
    const data = await openDataset(`npy:${await root.write('u1.npy', decode(UINT8))}`);
    const image = await data.read(0);
    expect([image.pixels[0], image.pixels[5]]).toEqual([0, 1]);
    expect(image.sha256).toBe('009a43b473dcce5970bc1f0a97125a4d0876aeefddf1c84eebb5dc2593fe459b');
  });

  it.each(Object.keys(LABELS))('labels of type %s', async (type) => {
    const images = await root.write('f8.npy', decode(FLOAT64));
    const labels = await root.write(`${type}.npy`, decode(LABELS[type] ?? ''));
    const data = await openDataset(`npy:${images},${labels}`);
    expect([(await data.read(0)).label, (await data.read(1)).label]).toEqual([9, 0]);
  });

  it('a dictionary in another order and with other quotes, as the format allows', async () => {
    const bytes = npy(`{"shape":(1,1,2),"fortran_order":False,"descr":"<f4"}`, floats(0.25, 0.75));
    const data = await openDataset(`npy:${await root.write('order.npy', bytes)}`);
    expect([...(await data.read(0)).pixels]).toEqual([0.25, 0.75]);
  });

  it.each(['(1, 3, 5, 3)', '(1, 3, 3, 5)', '(15, 1, 1, 3)'])('shape %s as channels first', async (shape) => {
    const bytes = npy(header('|u1', shape), Buffer.alloc(45));
    const data = await openDataset(`npy:${await root.write('first.npy', bytes)}`);
    expect(shape).toContain(`${data.shape.channels}, ${data.shape.height}, ${data.shape.width})`);
  });
});

describe('npy:IMAGES[,LABELS] refuses', () => {
  it.each<[string, Buffer, RegExp]>([
    ['Fortran order', decode(FORTRAN), /images\.npy: is in Fortran order.*ascontiguousarray/],
    ['big-endian values', decode(BIG_ENDIAN), /big-endian.*astype\('<f4'\)/],
    ['Python objects', decode(OBJECTS), /Python objects/],
    ['records', decode(RECORDS), /records of several fields/],
    ['a single number', decode(SCALAR), /shape \[\]/],
    ['booleans', npy(header('|b1', '(1, 2, 2)'), Buffer.alloc(4)), /type '\|b1'/],
    ['half precision', npy(header('<f2', '(1, 2, 2)'), Buffer.alloc(8)), /type '<f2'/],
    ['16-bit integers', npy(header('<u2', '(1, 2, 2)'), Buffer.alloc(8)), /16-bit integers/],
    ['signed bytes', npy(header('|i1', '(1, 2, 2)'), Buffer.alloc(4)), /8-bit integers/],
    ['a byte order left open', npy(header('=f4', '(1, 1, 1)'), floats(0)), /header cannot be understood/],
    [
      'channels last',
      npy(header('|u1', '(1, 5, 5, 3)'), Buffer.alloc(75)),
      /looks like \[n, height, width, channels\].*transpose\(0, 3, 1, 2\)/,
    ],
    ['two extents', npy(header('|u1', '(5, 5)'), Buffer.alloc(25)), /shape \[5, 5\]; wanted/],
    ['five extents', npy(header('|u1', '(1, 1, 1, 1, 1)'), Buffer.alloc(1)), /wanted is \[n, channels/],
    ['no images', npy(header('|u1', '(0, 5, 5)'), Buffer.alloc(0)), /holds nothing/],
    ['images without pixels', npy(header('|u1', '(5, 0, 5)'), Buffer.alloc(0)), /holds nothing/],
    ['a cut file', decode(UINT8).subarray(0, -1), /ends early, at byte 133 of the 134/],
    [
      'a file with bytes after its end',
      Buffer.concat([decode(UINT8), Buffer.alloc(1)]),
      /longer than the 134 bytes/,
    ],
    ['a cut header', decode(UINT8).subarray(0, 60), /ends early, at byte 60 of the 128/],
    ['a cut prefix', decode(UINT8).subarray(0, 9), /ends early/],
    ['an empty file', Buffer.alloc(0), /is no \.npy file/],
    ['another magic', Buffer.from('\x93NUMPX\x01\x00v\x00', 'latin1'), /is no \.npy file/],
    ['an archive', Buffer.from('PK\x03\x04whatever'), /\.npz archive/],
    [
      'a later version',
      Buffer.concat([Buffer.from('\x93NUMPY\x04\x00', 'latin1'), Buffer.alloc(9)]),
      /npy version 4\.0/,
    ],
    [
      'a header of gigabytes',
      Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1'),
      /header of 4294967295 bytes/,
    ],
    ['a header that is no dictionary', npy('hello', Buffer.alloc(0)), /cannot be understood/],
    [
      'a header without a shape',
      npy(`{'descr': '<f4', 'fortran_order': False}`, Buffer.alloc(0)),
      /cannot be understood/,
    ],
    [
      'a field twice',
      npy(`{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}`, Buffer.alloc(4)),
      /cannot be understood/,
    ],
    [
      'another field',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 'y'}`, Buffer.alloc(4)),
      /cannot be understood/,
    ],
    ['a shape of no integers', npy(header('|u1', '(1, , 2)'), Buffer.alloc(4)), /cannot be understood/],
  ])('%s', async (_, bytes, words) => {
    expect(await refusal(bytes)).toMatch(words);
  });

  it.each([
    '(999999999999, 28, 28)',
    '(4294967295, 4294967295, 4294967295)',
    '(2147483648, 1, 1)',
    '(99999999999999999999, 1, 1)',
  ])('shape %s over a few bytes, before anything is held', async (shape) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusal(npy(header('<f4', shape), floats(0)))).toMatch(/ends early|cannot be understood/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [1.5, '1.5'],
    [-0.25, '-0.25'],
  ])('%d, naming the first such element', async (value, text) => {
    const values = floats(...Array.from({ length: 24 }, (_, i) => (i >= 17 ? value : 0.5)));
    // Element 17 of [2, 2, 2, 3]: 17 = ((1 * 2 + 0) * 2 + 1) * 3 + 2.
    expect(await refusal(npy(header('<f4', '(2, 2, 2, 3)'), values))).toContain(
      `images.npy: element [1, 0, 1, 2] is ${text}; pixels lie in [0, 1]`,
    );
  });

  it.each<[string, number[], string]>([
    ['one ulp above 1', [0, 1 + 2 ** -23], 'numpy.clip(x, 0, 1)'],
    ['what bicubic resizing leaves', [-0.07, 1.09], 'numpy.clip(x, 0, 1)'],
    ['8-bit values', [0, 1.2, 255], 'x / 255'],
    ['8-bit values of a dark image', [0, 1.2, 3], 'x / 255'],
    ['16-bit values', [0, 256], 'x / 65535'],
    ['values of [-1, 1]', [-1, 1], '(x + 1) / 2'],
    ['normalised values', [-2.1, 2.6], 'before a model normalises them'],
    ['huge values', [0, 1e9], 'before a model normalises them'],
    ['NaN among 8-bit values', [Number.NaN, 255], 'Save finite values'],
    ['infinity', [0, Number.POSITIVE_INFINITY], 'Save finite values'],
  ])('%s, with advice that fits all values of the file', async (_, values, advice) => {
    for (const order of [values, values.toReversed()]) {
      const bytes = npy(header('<f4', `(${order.length}, 1, 1)`), floats(...order));
      expect(await refusal(bytes)).toContain(advice);
    }
  });

  it('float64 just above one, though it rounds to one in float32', async () => {
    const values = Buffer.from(Float64Array.of(0, 1 + Number.EPSILON).buffer);
    expect(await refusal(npy(header('<f8', '(1, 1, 2)'), values))).toContain('[0, 0, 1]');
  });

  it('a bad value beyond the first piece of a long file', async () => {
    const values = new Float32Array(2 ** 18 + 5);
    values[2 ** 18 + 3] = 2;
    const bytes = npy(header('<f4', `(${values.length}, 1, 1)`), Buffer.from(values.buffer));
    expect(await refusal(bytes)).toContain(`element [${2 ** 18 + 3}, 0, 0] is 2`);
  });

  it.each<[string, Buffer, RegExp]>([
    ['labels that are floats', npy(header('<f4', '(2,)'), floats(1, 2)), /labels\.npy: labels are floats/],
    [
      'another number of labels',
      npy(header('|u1', '(3,)'), Buffer.alloc(3)),
      /has 3 labels, but .*images\.npy has 2 images/,
    ],
    [
      'one-hot labels',
      npy(header('|u1', '(2, 3)'), Buffer.alloc(6)),
      /shape \[2, 3\]; wanted is \[n\].*argmax/,
    ],
    ['one-hot labels of floats', npy(header('<f4', '(2, 1)'), floats(0, 1)), /shape \[2, 1\].*argmax/],
    ['a negative label', decode(NEGATIVE), /label -1 of image 1/],
    ['a label of 2^31', decode(TOO_BIG), /label 2147483648 of image 1/],
    ['big-endian labels', npy(header('>i2', '(2,)'), Buffer.alloc(4)), /labels\.npy: is big-endian/],
  ])('%s', async (_, labels, words) => {
    expect(await refusal(decode(FLOAT64), labels)).toMatch(words);
  });

  it('missing files, by name', async () => {
    const images = await root.write('f8.npy', decode(FLOAT64));
    expect(await refusalOf(() => openDataset('npy:/no/images.npy'))).toContain(
      '/no/images.npy: no such file',
    );
    expect(await refusalOf(() => openDataset(`npy:${images},/no/labels.npy`))).toContain(
      '/no/labels.npy: no such',
    );
    expect(await refusalOf(() => openDataset(`npy:${root.path}`))).toContain('is a folder, not a file');
  });
});
