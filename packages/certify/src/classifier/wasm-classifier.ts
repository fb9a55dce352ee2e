/** The classifier on the CPU: onnxruntime's wasm provider, several threads. */
import { badInput, TurnproofError } from '@turnproof/core';
import type { InferenceSession } from 'onnxruntime-web';
import { type Classifier, checkImages, chunksOf, imageLength } from './classifier.ts';
import type { ImageShape, InspectedModel, ModelInfo } from './model.ts';
import { createSession, exclusive, loadOrt, type Ort, ortMessage, RUN_OPTIONS } from './ort-runtime.ts';

/** Images of the first run where the model takes any batch: two, so that a hidden batch of one shows. */
const PROBE_BATCH = 2;

export class WasmClassifier implements Classifier {
  readonly provider = 'wasm';
  readonly info: ModelInfo;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly fixedBatch: number | null;
  readonly #ort: Ort;
  #session: InferenceSession | undefined;

  private constructor(
    ort: Ort,
    session: InferenceSession,
    info: ModelInfo,
    shape: ImageShape,
    classes: number,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.info = info;
    this.shape = shape;
    this.classes = classes;
    this.fixedBatch = info.fixedBatch;
  }

  /** Opens the model and runs it once on black images. @throws TurnproofError `bad-input` when it does not run. */
  static async open(
    { bytes, info }: InspectedModel,
    shape: ImageShape,
    threads?: number,
  ): Promise<WasmClassifier> {
    const ort = await loadOrt('wasm', threads);
    return exclusive(async () => {
      const session = await createSession(ort, bytes);
      try {
        return new WasmClassifier(ort, session, info, shape, await probe(ort, session, info, shape));
      } catch (error) {
        await session.release();
        throw error;
      }
    });
  }

  async logits(images: Float32Array, batch: number): Promise<Float32Array<ArrayBuffer>> {
    checkImages(images, batch, this.shape);
    const { classes } = this;
    const result = new Float32Array(batch * classes);
    const stride = imageLength(this.shape);
    for (const { start, count, size, dims } of chunksOf(this.info, this.shape, batch)) {
      let input = images.subarray(start * stride, (start + count) * stride);
      if (count < size) {
        const padded = new Float32Array(size * stride);
        padded.set(input);
        input = padded;
      }
      const rows = await exclusive(() => this.#run(input, dims, size));
      result.set(rows.subarray(0, count * classes), start * classes);
    }
    return result;
  }

  async #run(input: Float32Array, dims: readonly number[], size: number): Promise<Float32Array> {
    const session = this.#session;
    if (!session) {
      throw new TurnproofError('internal', `${this.info.file}: the classifier is used after its release`);
    }
    const { data, dims: got } = await runHost(this.#ort, session, this.info, input, dims).catch(
      (error: unknown) => {
        const words = ortMessage(error);
        // «offset is out of bounds»: the runtime writes the input behind the end of a memory that did not grow.
        throw /out of memory|bad_alloc|failed to allocate|offset is out of bounds/i.test(words)
          ? new TurnproofError('out-of-memory', `${this.info.file}: ${words}`, {
              fix: 'use a smaller --batch',
            })
          : new TurnproofError('internal', `${this.info.file}: ${words}`, { cause: error });
      },
    );
    if (got[0] !== size || got[1] !== this.classes || got.length !== 2) {
      throw new TurnproofError('parity', `${this.info.file}: ${size} images gave logits [${got.join(', ')}]`);
    }
    return data;
  }

  release(): Promise<void> {
    return exclusive(async () => {
      const session = this.#session;
      this.#session = undefined;
      await session?.release();
    });
  }
}

async function runHost(
  ort: Ort,
  session: InferenceSession,
  info: ModelInfo,
  input: Float32Array,
  dims: readonly number[],
): Promise<{ data: Float32Array; dims: readonly number[] }> {
  const feeds = { [info.inputName]: new ort.Tensor('float32', input, dims) };
  const results = await session.run(feeds, RUN_OPTIONS);
  const output = results[info.outputName];
  if (!output || !(output.data instanceof Float32Array)) {
    throw new TurnproofError('internal', `${info.file}: no float32 output «${info.outputName}»`);
  }
  return { data: output.data, dims: output.dims };
}

/** Number of classes, from one run on black images. */
async function probe(
  ort: Ort,
  session: InferenceSession,
  info: ModelInfo,
  shape: ImageShape,
): Promise<number> {
  const [chunk] = chunksOf(info, shape, info.fixedBatch ?? PROBE_BATCH);
  if (!chunk) throw new TurnproofError('internal', 'the probe has no images');
  const { size, dims } = chunk;
  const input = new Float32Array(size * imageLength(shape));
  const got = await runHost(ort, session, info, input, dims).then(
    (output) => output.dims,
    (error: unknown) => {
      throw badInput(
        `${info.file}: the model does not run on input [${dims.join(', ')}]: ${ortMessage(error)}`,
        'export it with a free batch dimension (torch.onnx.export: dynamic_axes), or with a fixed one throughout',
      );
    },
  );
  const [rows, classes] = got;
  if (got.length !== 2 || rows !== size || classes === undefined || classes < 2) {
    throw badInput(
      `${info.file}: for ${size} images the model answers [${got.join(', ')}], not [${size}, classes]`,
      'end the model with one float32 output [n, classes] and a batch dimension that follows the input',
    );
  }
  if (info.classes !== null && info.classes !== classes) {
    throw badInput(`${info.file}: the model declares ${info.classes} classes and answers ${classes}`);
  }
  return classes;
}
