import { readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { preOracle, warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedImage, Attacker } from './attack.ts';
import { type Classifier, inspectModelBytes, openClassifier } from './classifier/index.ts';
import { NodeProtoSchema, TensorProtoSchema } from './classifier/onnx/onnx-pb.ts';
import { decodeModel, encodeModel } from './classifier/onnx/tree.ts';
import type { Pipeline } from './pipeline.ts';
import { signsShape as shape, signAt, signsModel } from './signs.test-support.ts';

const PIPELINE: Pipeline = {
  transform: 'rotation',
  range: 60,
  pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
  quantization: 'none',
};
const K = 12;

/** Operator; a second input by name, or integer attributes. */
type NodeShape = readonly [op: string, more?: string | Readonly<Record<string, number>>];

/** The signs' model with these nodes behind its logits. */
function endedBy(end: readonly NodeShape[]): Uint8Array<ArrayBuffer> {
  const tree = decodeModel('signs', readFileSync(signsModel));
  const { graph } = tree;
  const output = graph?.output[0]?.name;
  if (!graph || output === undefined) throw new Error('no output');
  for (const node of graph.node) node.output = node.output.map((name) => (name === output ? 'z' : name));
  graph.node.push(
    ...end.map(([opType, more], i) =>
      create(NodeProtoSchema, {
        opType,
        input: [i === 0 ? 'z' : `end_${i - 1}`, ...(typeof more === 'string' ? [more] : [])],
        output: [i === end.length - 1 ? output : `end_${i}`],
        attribute:
          typeof more === 'object'
            ? Object.entries(more).map(([name, i]) => ({ name, type: 2, i: BigInt(i) }))
            : [],
      }),
    ),
  );
  graph.initializer.push(
    create(TensorProtoSchema, {
      name: 'shape',
      dataType: 7,
      dims: [2n],
      rawData: new Uint8Array(BigInt64Array.of(0n, -1n).buffer),
    }),
  );
  return encodeModel('signs', tree);
}

describe('the attack', () => {
  let gpu: Gpu;
  let classifier: Classifier;

  beforeAll(async () => {
    gpu = await openDevice({ adapter: (await testAdapters()).at(-1) ?? 'auto' });
    classifier = await openClassifier({ model: signsModel, provider: 'wasm', shape });
  });
  afterAll(async () => {
    await classifier.release();
    closeChecked(gpu);
  });

  interface Changes extends Partial<Pipeline> {
    readonly classifier?: Classifier;
    readonly seed?: bigint;
    readonly k?: number;
  }

  async function attacked(image: AttackedImage, changes: Changes = {}) {
    const { classifier: b = classifier, seed = 5n, k = K, ...pipeline } = changes;
    const whole = { ...PIPELINE, ...pipeline };
    const attacker = await Attacker.open({ gpu, classifier: b, shape, pipeline: whole, seed });
    try {
      return await attacker.attack(image, k);
    } finally {
      attacker.close();
    }
  }

  /** ln(sum exp) - logit of the target, from float64 transformations and preprocessing. */
  async function lossAt(image: AttackedImage, gamma: readonly number[], target: number): Promise<number> {
    const moved = warpOracle('rotation', gamma, image.pixels, shape);
    const logits = await classifier.logits(Float32Array.from(preOracle(moved, shape, PIPELINE.pre)), 1);
    return Math.log([...logits].reduce((sum, logit) => sum + Math.exp(logit), 0)) - (logits[target] ?? 0);
  }

  it('hands over T_γ x, reports the cross entropy there, and names the largest', async () => {
    const image = signAt(3);
    const { attempts, worst, clean, target } = await attacked(image);
    expect(target).toBe(image.label);
    expect(attempts.length).toBe(K);
    for (const { gamma, pixels, loss } of attempts) {
      expect(Math.abs(gamma[0] ?? 99)).toBeLessThanOrEqual(60);
      const moved = warpOracle('rotation', gamma, image.pixels, shape);
      expect(Math.max(...pixels.map((p, i) => Math.abs(p - (moved[i] ?? 9))))).toBeLessThan(1e-5);
      expect(loss).toBeCloseTo(await lossAt(image, gamma, target ?? 0), 3);
    }
    expect(clean.loss).toBeCloseTo(await lossAt(image, [0], target ?? 0), 3);
    const losses = attempts.map(({ loss }) => loss);
    expect(losses[worst]).toBe(Math.max(...losses));
    expect(new Set(losses).size).toBe(K);
  });

  it.each<[string, readonly NodeShape[]]>([
    ['Softmax', [['Softmax']]],
    ['Softmax, Identity', [['Softmax'], ['Identity']]],
    ['Softmax, Reshape, Cast', [['Softmax'], ['Reshape', 'shape'], ['Cast', { to: 1 }]]],
    ['Softmax, Log', [['Softmax'], ['Log']]],
    ['LogSoftmax, Flatten', [['LogSoftmax'], ['Flatten']]],
  ])('chooses the attempts that it chooses by logits, of a model that ends in %s', async (_, end) => {
    const model = await inspectModelBytes('ended.onnx', endedBy(end));
    const ended = await openClassifier({ model, provider: 'wasm', shape });
    try {
      for (const index of [0, 1, 2, 3]) {
        const plain = await attacked(signAt(index));
        const other = await attacked(signAt(index), { classifier: ended });
        expect(other.worst).toBe(plain.worst);
        expect(other.wrong).toBe(plain.wrong);
        for (const [i, { loss, answer }] of [plain.clean, ...plain.attempts].entries()) {
          const there = [other.clean, ...other.attempts][i];
          expect(there?.answer).toBe(answer);
          // A loss that is near 0 keeps its digits, too: it is a sum of small probabilities.
          expect(Math.abs((there?.loss ?? Number.NaN) / loss - 1), `${loss}`).toBeLessThan(1e-4);
        }
      }
    } finally {
      await ended.release();
    }
  });

  it('counts the attempts that are answered wrongly', async () => {
    const image = signAt(3);
    // No answer of b is this class often, so nearly all are wrong.
    const label = ((image.label ?? 0) + 1) % 4;
    const { attempts, wrong, target } = await attacked({ ...image, label });
    expect(target).toBe(label);
    expect(wrong).toBe(attempts.filter(({ answer }) => answer !== label).length);
    expect(wrong).toBeGreaterThan(0);
  });

  it('rounds what it hands over to 8 bits when the pipeline says so, and nothing otherwise', async () => {
    const offGrid = (pixels: Float32Array) =>
      pixels.filter((p) => Math.fround(Math.round(255 * p) / 255) !== p).length;
    const rounded = await attacked(signAt(2), { quantization: 'u8' });
    const plain = await attacked(signAt(2));
    for (const [i, { pixels }] of rounded.attempts.entries()) {
      expect(offGrid(pixels)).toBe(0);
      const other = plain.attempts[i]?.pixels ?? new Float32Array();
      expect(offGrid(other)).toBeGreaterThan(100);
      expect(Math.max(...pixels.map((p, j) => Math.abs(p - (other[j] ?? 9))))).toBeLessThan(0.5 / 255 + 1e-6);
    }
  });

  it("raises the loss of b's own answer where there is no label", async () => {
    const { target, clean } = await attacked({ ...signAt(1), label: null });
    expect(target).toBe(clean.answer);
  });

  it('draws the same again, other ones for other images and seeds, and more after fewer', async () => {
    const gammas = async (...what: Parameters<typeof attacked>) =>
      (await attacked(...what)).attempts.map(({ gamma }) => gamma);
    const first = await gammas(signAt(0));
    expect(await gammas(signAt(0))).toEqual(first);
    expect(await gammas(signAt(0), { k: 4 })).toEqual(first.slice(0, 4));
    expect(await gammas(signAt(1))).not.toEqual(first);
    expect(await gammas(signAt(0), { seed: 6n })).not.toEqual(first);
  });

  it('shifts by both axes for translations', async () => {
    const image = signAt(4);
    const { attempts } = await attacked(image, {
      transform: 'translation',
      range: 3,
      pre: { vignette: { kind: 'rect', offset: 4 }, blur: null },
    });
    for (const { gamma, pixels } of attempts) {
      const moved = warpOracle('translation', gamma, image.pixels, shape);
      expect(Math.max(...pixels.map((p, i) => Math.abs(p - (moved[i] ?? 9))))).toBeLessThan(1e-5);
    }
  });
});
