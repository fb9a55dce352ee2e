import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gapWords, openClassifier, webgpuGaps } from './index.ts';
import { inspectModelBytes } from './model.ts';
import { linearModel, type Node, onnxModel, someFloats } from './onnx-writer.test-support.ts';

const shape = { channels: 1, height: 4, width: 4 };

/** A linear classifier behind some nodes from «x» to «s». */
function modelWith(nodes: readonly Node[]) {
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 1, 4, 4] }],
    outputs: [{ name: 'y', shape: ['n', 3] }],
    weights: [
      { name: 'w', shape: [16, 3], data: someFloats(48, 1) },
      { name: 'zero', shape: [1], data: BigInt64Array.of(0n) },
      { name: 'rest', shape: [1], data: BigInt64Array.of(-1n) },
    ],
    nodes: [
      ...nodes,
      { op: 'Flatten', inputs: ['s'], outputs: ['f'] },
      { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
    ],
  });
}

// The runtime's log is the same on every adapter.
describe('an operator that the webgpu provider lacks', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    const [adapter = 'auto'] = await testAdapters();
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it('is found and named', async () => {
    const model = await inspectModelBytes(
      'm.onnx',
      modelWith([{ op: 'Shrink', inputs: ['x'], outputs: ['s'] }]),
    );
    expect(await webgpuGaps(model, gpu.device)).toEqual([{ op: 'Shrink', node: 's' }]);
  });

  it('ends a session on that provider with one line, and not one on the other', async () => {
    const model = await inspectModelBytes(
      'm.onnx',
      modelWith([{ op: 'Shrink', inputs: ['x'], outputs: ['s'] }]),
    );
    await expect(openClassifier({ model, provider: 'webgpu', device: gpu.device, shape })).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: 'm.onnx: the webgpu provider has no kernel for Shrink (node «s»)',
      }),
    );
    const classifier = await openClassifier({ model, provider: 'wasm', shape });
    expect(classifier.classes).toBe(3);
    await classifier.release();
  });

  it('is none where a model has none, nor where only shapes are computed without a kernel', async () => {
    const plain = await inspectModelBytes('m.onnx', linearModel({ image: [1, 4, 4], classes: 3 }).bytes);
    expect(await webgpuGaps(plain, gpu.device)).toEqual([]);
    // As PyTorch exports x.view(x.size(0), -1).
    const shapes = await inspectModelBytes(
      'm.onnx',
      modelWith([
        { op: 'Shape', inputs: ['x'], outputs: ['dims'] },
        { op: 'Gather', inputs: ['dims', 'zero'], outputs: ['size'], attributes: { axis: 0 } },
        { op: 'Concat', inputs: ['size', 'rest'], outputs: ['to'], attributes: { axis: 0 } },
        { op: 'Reshape', inputs: ['x', 'to'], outputs: ['s'] },
      ]),
    );
    expect(await webgpuGaps(shapes, gpu.device)).toEqual([]);
  });

  it('is one line, however many there are', () => {
    expect(gapWords([])).toBe('none');
    expect(
      gapWords([
        { op: 'Det', node: 'a' },
        { op: 'Shrink', node: 'b' },
        { op: 'Shrink', node: 'c' },
      ]),
    ).toBe('Det (node «a») and 2 more');
  });
});
