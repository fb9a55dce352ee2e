import { describe, expect, it } from 'vitest';
import { inspectModelBytes, openClassifier } from './index.ts';
import { onnxModel } from './onnx-writer.test-support.ts';
import { ortMessage } from './ort-runtime.ts';

describe('what the runtime says', () => {
  it.each([
    [
      'failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: /mnt/x/_work/1/s/onnxruntime/core/reshape_helper.h:93 onnxruntime::ReshapeHelper::ReshapeHelper(const TensorShape &, TensorShapeVector &, bool) input_shape_size == requested was false. The input tensor cannot be reshaped. Input shape:{2,1,4,4}',
      'The input tensor cannot be reshaped. Input shape:{2,1,4,4}',
    ],
    [
      'ERROR_MESSAGE: /mnt/x/model_load_utils.h:56 void onnxruntime::Validate(const std::unordered_map<std::string, int> &, int) ONNX Runtime only *guarantees* (much) more.',
      'ONNX Runtime only *guarantees* (much) more.',
    ],
    ['ERROR_MESSAGE: /x/a.cc:5 auto f(int (*)(int)) const x == y was false.', 'x == y was false.'],
    [
      'ERROR_MESSAGE: No Op registered for Foo with domain_version of 13',
      'No Op registered for Foo with domain_version of 13',
    ],
    [
      'running node. Status Message: /x/a.cc:5 void f(int) bad\n shape',
      'running node. Status Message: bad shape',
    ],
  ])('is told without the place in its source (%#)', (words, told) => {
    expect(ortMessage(new Error(words))).toBe(told);
  });
  it('is told in time, whatever names it repeats', () => {
    for (const part of ['(', 'a/', ' a.h:1 ', 'a.h:1 (', '()', '\\', ' was false.']) {
      const told = ortMessage(new Error(part.repeat(20_000)));
      expect(told.length).toBeLessThanOrEqual(2000);
    }
  });
  it('of a model that does not run names its shapes, and no path', async () => {
    const bytes = onnxModel({
      inputs: [{ name: 'x', shape: ['n', 1, 2, 2] }],
      outputs: [{ name: 'y', shape: ['n', 4] }],
      weights: [{ name: 's', shape: [2], data: BigInt64Array.of(1n, 4n) }],
      nodes: [{ op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] }],
    });
    const model = await inspectModelBytes('m.onnx', bytes);
    const shape = { channels: 1, height: 2, width: 2 };
    await expect(openClassifier({ model, provider: 'wasm', shape })).rejects.toThrow(
      'does not run on input [2, 1, 2, 2]: The input tensor cannot be reshaped to the requested shape. Input shape:{2,1,2,2}',
    );
  });
});
