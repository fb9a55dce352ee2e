import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  argmaxRows,
  type Classifier,
  checkParity,
  isAnswerOf,
  openClassifier,
  PARITY_IMAGES,
  ParityGuard,
} from './index.ts';
import { inspectModelBytes } from './model.ts';
import { linearModel, someFloats } from './onnx-writer.test-support.ts';
import * as unsteady from './unsteady-models.test-support.ts';

const shape = { channels: 2, height: 3, width: 4 };
const COUNT = 6;
const images = someFloats(COUNT * 24, 3);
/** As many as a run's batch, all different. */
const many = someFloats(64 * 24, 4);

/** The classifier with its logits changed; `call` counts from 1. */
function broken(
  classifier: Classifier,
  change: (logits: Float32Array<ArrayBuffer>, batch: number, call: number) => Float32Array<ArrayBuffer>,
): Classifier {
  const { info, provider, classes, fixedBatch } = classifier;
  let call = 0;
  return {
    info,
    provider,
    shape: classifier.shape,
    classes,
    fixedBatch,
    logits: async (input, batch) => {
      call += 1;
      return change(await classifier.logits(input, batch), batch, call);
    },
    release: () => classifier.release(),
  };
}

describe('the parity check', () => {
  let sound: Classifier;
  beforeAll(async () => {
    const model = await inspectModelBytes('m.onnx', linearModel({ image: [2, 3, 4], classes: 5 }).bytes);
    sound = await openClassifier({ model, provider: 'wasm', shape });
  });
  afterAll(() => sound.release());

  const parity = (...words: string[]) =>
    expect.objectContaining({ code: 'parity', message: expect.stringMatching(new RegExp(words.join('.*'))) });

  it('passes a sound classifier against itself and against its like', async () => {
    const alone = await checkParity(sound, sound, images);
    expect(alone).toMatchObject({ images: COUNT, classes: 5, repeatable: true });
    expect(alone.checks.map((check) => check.name)).toEqual([
      'wasm: batch 6 twice',
      'wasm: batch 1 against batch 6',
    ]);
    const both = await checkParity(
      broken(sound, (logits) => logits),
      sound,
      images,
    );
    expect(both.checks.length).toBe(5);
    for (const { difference, limit } of both.checks) expect(difference).toBeLessThanOrEqual(limit);
  });

  it('lets others have their turn after every call: a second Ctrl-C, a sign of life', async () => {
    let [calls, turns] = [0, 0];
    const counted = broken(sound, (logits) => {
      // Fewer: the thread has been held since the call before.
      expect(turns).toBe(calls);
      calls += 1;
      setImmediate(() => {
        turns += 1;
      });
      return logits;
    });
    await checkParity(counted, counted, many);
    expect([calls, turns]).toEqual([2 + PARITY_IMAGES + 2, calls]);
  });

  it('finds one wrong row in batches above one', async () => {
    const wrong = broken(sound, (logits, batch) => (batch > 4 ? logits.copyWithin(20, 0, 5) : logits));
    await expect(checkParity(wrong, sound, images)).rejects.toThrow(
      parity('wasm: batch 1 against batch 6', 'image 4, class 0'),
    );
  });

  it('finds two rows in each other’s place', async () => {
    const swapped = broken(sound, (logits, batch) => {
      if (batch === 1) return logits;
      return Float32Array.of(...logits.slice(5, 10), ...logits.slice(0, 5), ...logits.slice(10));
    });
    await expect(checkParity(swapped, sound, images)).rejects.toThrow(
      parity('batch 1 against batch 6', 'image 0'),
    );
  });

  it('finds a single NaN, though it be there each time', async () => {
    const nan = broken(sound, (logits, batch) => (batch > 1 ? logits.fill(Number.NaN, 7, 8) : logits));
    await expect(checkParity(nan, sound, images)).rejects.toThrow(parity('image 1, class 2: NaN'));
    const always = broken(sound, (logits) => logits.fill(Number.NaN));
    await expect(checkParity(always, sound, images)).rejects.toThrow(parity('NaN'));
  });

  it('finds answers that change from run to run', async () => {
    const drifting = broken(sound, (logits, _, call) => logits.map((v) => v + (call === 2 ? 0.01 : 0)));
    await expect(checkParity(drifting, sound, images)).rejects.toThrow(parity('wasm: batch 6 twice'));
  });

  it('finds a provider that is steadily a little wrong, and fails whichever side it is', async () => {
    const off = broken(sound, (logits) => logits.map((v) => v * 1.001));
    await expect(checkParity(off, sound, images)).rejects.toThrow(parity('wasm against wasm'));
    await expect(checkParity(sound, off, images)).rejects.toThrow(parity('wasm against wasm'));
  });

  it('lets rounding pass, and says that repetition is not exact', async () => {
    const rounding = broken(sound, (logits, _, call) => logits.map((v) => v * (1 + call * 2e-7)));
    expect((await checkParity(rounding, sound, images)).repeatable).toBe(false);
  });

  it('finds missing logits', async () => {
    const short = broken(sound, (logits) => logits.slice(1));
    await expect(checkParity(short, sound, images)).rejects.toThrow(parity('6 images gave 29 logits'));
  });

  it('needs two images at least', async () => {
    await expect(checkParity(sound, sound, images.slice(0, 24))).rejects.toThrow('two or more images');
    await expect(checkParity(sound, sound, images.slice(0, 50))).rejects.toThrow('two or more images');
  });

  it('finds a row that is wrong only in batches as large as the run’s', async () => {
    const late = broken(sound, (logits, batch) => (batch > 32 ? logits.copyWithin(5 * 33, 0, 5) : logits));
    await expect(checkParity(late, sound, images)).resolves.toMatchObject({ images: COUNT });
    await expect(checkParity(late, sound, many)).rejects.toThrow(parity('wasm: batch 64 in another order'));
    expect((await checkParity(sound, sound, many)).checks.map(({ name }) => name)).toEqual([
      'wasm: batch 7 twice',
      'wasm: batch 1 against batch 7',
      'wasm: batch 1 against batch 64',
      'wasm: batch 64 in another order',
    ]);
  });

  it.each([
    ['in blocks of 16', (row: number) => row ^ 16],
    ['in halves', (row: number) => row ^ 32],
    [
      'end for end, but for the first eight and the last',
      (row: number) => (row < 8 || row > 55 ? row : 63 - row),
    ],
  ])(
    'finds rows of a large batch swapped %s, where those known alone are in their places',
    async (_, from) => {
      const swapped = broken(sound, (logits, batch) => {
        if (batch < 64) return logits;
        return Float32Array.from(logits, (v, i) => {
          const row = Math.floor(i / 5);
          return row < 8 ? v : (logits[5 * from(row) + (i % 5)] ?? Number.NaN);
        });
      });
      await expect(checkParity(swapped, sound, many)).rejects.toThrow(parity('batch 64 in another order'));
    },
  );

  describe('of a model that is no function of one image', () => {
    const opened: Classifier[] = [];
    afterAll(async () => {
      for (const classifier of opened) await classifier.release();
    });
    async function open(bytes: Uint8Array<ArrayBuffer>): Promise<Classifier> {
      const model = await inspectModelBytes('m.onnx', bytes);
      const classifier = await openClassifier({ model, provider: 'wasm', shape });
      opened.push(classifier);
      return classifier;
    }

    it.each([
      [
        'BatchNormalization in training mode',
        unsteady.batchNormalised(true),
        'depends on the other images',
        'bn',
      ],
      ['Dropout in training mode', unsteady.droppingOut(true), 'differently each time', 'drop'],
      ['RandomNormalLike', unsteady.noisyInside(), 'differently each time', 'rn'],
      ['Softmax over the batch', unsteady.softmaxOver(0), 'depends on the other images', 'soft'],
      ['Softmax over the batch', unsteady.softmaxOver(-2), 'depends on the other images', 'soft'],
    ])('names %s as what is wrong with it', async (op, bytes, words, node) => {
      const classifier = await open(bytes);
      await expect(checkParity(classifier, classifier, images)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringMatching(`^m.onnx: the model.*${words}.*: ${op} \\(node «${node}»\\)`),
        fix: expect.stringContaining('model.eval()'),
      });
    });

    it('says that it gives NaN, and for which image', async () => {
      const classifier = await open(unsteady.givingNaN());
      await expect(checkParity(classifier, classifier, images)).rejects.toMatchObject({
        code: 'bad-input',
        message: 'm.onnx: the model gives logits that are no numbers (wasm: batch 1): image 0, class 3: NaN',
      });
    });

    it('blames it, whichever provider is compared with it', async () => {
      const classifier = await open(unsteady.batchNormalised(true));
      const other = broken(classifier, (logits) => logits);
      await expect(checkParity(other, classifier, images)).rejects.toMatchObject({ code: 'bad-input' });
    });

    it.each([
      ['BatchNormalization', unsteady.batchNormalised(false)],
      ['Dropout', unsteady.droppingOut(false)],
      ['Softmax over classes', unsteady.softmaxOver(1)],
    ])('has nothing against %s in its place', async (_, bytes) => {
      const classifier = await open(bytes);
      expect(classifier.info.unsteady).toBeUndefined();
      await expect(checkParity(classifier, classifier, many)).resolves.toMatchObject({ images: 64 });
    });

    it('finds one that looks whether an image of its batch is there again', async () => {
      const classifier = await open(unsteady.watchingRowSeven());
      const repeated = Float32Array.from(many, (_, i) => many[i % (7 * 24)] ?? Number.NaN);
      const classesOf = async (rows: Float32Array) =>
        new Set(argmaxRows(await classifier.logits(rows, rows.length / 24), 5));
      // What it is made for: seven images again and again look as if each were alone.
      expect([await classesOf(images), await classesOf(repeated)]).toEqual([new Set([1]), new Set([1])]);
      expect(await classesOf(many)).toEqual(new Set([0]));
      const found = { code: 'bad-input', message: expect.stringContaining('depends on the other images') };
      await expect(checkParity(classifier, classifier, many)).rejects.toMatchObject(found);
      const other = broken(classifier, (logits) => logits);
      await expect(checkParity(other, classifier, many)).rejects.toMatchObject(found);
    });

    it('runs one that is quantised dynamically by one image at a time, and says so', async () => {
      const classifier = await open(unsteady.dynamicallyQuantised());
      expect([classifier.fixedBatch, classifier.info.adapted]).toEqual([1, { oneByOne: true }]);
      await expect(checkParity(classifier, classifier, many)).resolves.toMatchObject({ repeatable: true });
    });
  });

  it('lets a class pass that is as good as equal to the first, and no other', () => {
    const logits = Float32Array.of(1, 2, 1.9997, 1.9995, Number.NEGATIVE_INFINITY);
    expect([0, 1, 2, 3].map((answer) => isAnswerOf(logits.subarray(0, 4), answer))).toEqual([
      ...[false, true, true, false],
    ]);
    // A row with an infinity is of no class.
    expect([1, 2, -1].map((answer) => isAnswerOf(logits, answer))).toEqual([false, false, true]);
    expect(isAnswerOf(logits.subarray(0, 4), -1)).toBe(false);
  });

  describe('again and again', () => {
    const guardOf = (classifier: Classifier, every: { everyImages?: number; everyMs?: number }) =>
      new ParityGuard({
        ...{ classifier, reference: sound, batch: 16, ...every },
        images: (count, check) => someFloats(count * 24, 100 + check),
      });

    it('runs after so many images, and clears those before it', async () => {
      const guard = guardOf(sound, { everyImages: 3, everyMs: Number.POSITIVE_INFINITY });
      for (const image of [4, 5]) await guard.finished(image);
      expect([guard.passed, guard.suspects]).toEqual([0, [4, 5]]);
      await guard.finished(6);
      expect([guard.passed, guard.suspects]).toEqual([1, []]);
    });

    it('runs after so much time', async () => {
      const guard = guardOf(sound, { everyImages: 1000, everyMs: 0 });
      await guard.finished(4);
      expect([guard.passed, guard.suspects]).toEqual([1, []]);
    });

    it('draws other images for each check, as many as the run has in a batch and seven at least', async () => {
      const asked: (readonly [number, number])[] = [];
      for (const batch of [2, 16]) {
        const guard = new ParityGuard({
          ...{ classifier: sound, reference: sound, batch },
          images: (count, check) => {
            asked.push([count, check]);
            return someFloats(count * 24, 100 + check);
          },
        });
        await guard.check();
        await guard.check();
      }
      expect(asked).toEqual([
        [7, 1],
        [7, 2],
        [16, 1],
        [16, 2],
      ]);
    });

    it('names the images since the last check where the model itself turns out to be to blame', async () => {
      let faulty = false;
      const model = broken(sound, (logits, batch) =>
        faulty && batch > 1 ? logits.map((v) => v + batch) : logits,
      );
      const guard = new ParityGuard({
        ...{ classifier: model, reference: model, batch: 16, everyImages: 2 },
        images: (count, check) => someFloats(count * 24, 100 + check),
      });
      await guard.finished(10);
      faulty = true;
      await expect(guard.finished(11)).rejects.toThrow(
        parity('depends on the other images', 'finished since the last check: images 10, 11'),
      );
      const first = new ParityGuard({
        ...{ classifier: model, reference: model, batch: 16 },
        images: (count, check) => someFloats(count * 24, 100 + check),
      });
      await expect(first.check()).rejects.toMatchObject({ code: 'bad-input' });
    });

    it.each([
      [
        'a wrong row in a batch',
        (logits: Float32Array<ArrayBuffer>, batch: number) =>
          batch > 1 ? logits.copyWithin(5, 10, 15) : logits,
        'batch 1 against batch 7',
      ],
      ['a NaN', (logits: Float32Array<ArrayBuffer>) => logits.fill(Number.NaN, 3, 4), 'NaN'],
      [
        'all logits a little off',
        (logits: Float32Array<ArrayBuffer>) => logits.map((v) => v * 1.01),
        'wasm against wasm',
      ],
    ])('catches %s that comes later, and names the images since the last check', async (_, fault, check) => {
      let faulty = false;
      const classifier = broken(sound, (logits, batch) => (faulty ? fault(logits, batch) : logits));
      const guard = guardOf(classifier, { everyImages: 2 });
      await guard.check();
      for (const image of [10, 11]) await guard.finished(image);
      faulty = true;
      await guard.finished(12);
      await expect(guard.finished(13)).rejects.toThrow(
        parity(check, 'finished since the last check: images 12, 13'),
      );
      expect(guard.suspects).toEqual([12, 13]);
    });
  });
});
