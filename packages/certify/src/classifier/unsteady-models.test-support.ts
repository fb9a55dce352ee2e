/**
 * Models that are no function of one image: their answers change, or depend on the other images of the batch. On images
 * [2, 3, 4], five classes. Test support only.
 */
import { linearModel, type Node, onnxModel, someFloats, type Weight } from './onnx-writer.test-support.ts';

const FEATURES = 24;
const CLASSES = 5;

/** A linear model, then these nodes from `lin` to `logits`. */
export function linearThen(nodes: readonly Node[], weights: readonly Weight[] = [], opset = 15) {
  const { w, b } = linearModel({ image: [2, 3, 4], classes: CLASSES });
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', 2, 3, 4] }],
    outputs: [{ name: 'logits', shape: ['n', CLASSES] }],
    weights: [
      { name: 'w', shape: [FEATURES, CLASSES], data: w },
      { name: 'b', shape: [CLASSES], data: b },
      ...weights,
    ],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['lin'] },
      ...nodes,
    ],
    opset,
  });
}

const floats = (name: string, ...data: number[]): Weight => ({
  name,
  shape: [data.length],
  data: Float32Array.from(data),
});
const integers = (name: string, ...data: number[]): Weight => ({
  name,
  shape: [data.length],
  data: BigInt64Array.from(data, BigInt),
});

/** As a network is exported without `model.eval()`. */
export function batchNormalised(training: boolean) {
  const names = ['scale', 'shift', 'mean', 'variance'];
  return linearThen(
    [
      {
        op: 'BatchNormalization',
        name: 'bn',
        inputs: ['lin', ...names],
        outputs: training ? ['logits', 'new_mean', 'new_variance'] : ['logits'],
        attributes: training ? { training_mode: 1 } : {},
      },
    ],
    names.map((name, i) => floats(name, ...someFloats(CLASSES, 20 + i).map((v) => Math.abs(v) + 0.5))),
  );
}

export function droppingOut(training: boolean) {
  return linearThen(
    [{ op: 'Dropout', name: 'drop', inputs: ['lin', 'ratio', 'training'], outputs: ['logits'] }],
    [
      { name: 'ratio', shape: [], data: Float32Array.of(0.5) },
      { name: 'training', shape: [], data: Uint8Array.of(training ? 1 : 0), type: 9 },
    ],
  );
}

export function noisyInside() {
  return linearThen([
    { op: 'RandomNormalLike', name: 'rn', inputs: ['lin'], outputs: ['noise'] },
    { op: 'Add', inputs: ['lin', 'noise'], outputs: ['logits'] },
  ]);
}

export function softmaxOver(axis: number) {
  return linearThen([
    { op: 'Softmax', name: 'soft', inputs: ['lin'], outputs: ['logits'], attributes: { axis } },
  ]);
}

/** Each batch is quantised by its own smallest and largest value. */
export function dynamicallyQuantised() {
  return linearThen([
    { op: 'DynamicQuantizeLinear', name: 'dq', inputs: ['lin'], outputs: ['q', 'step', 'zero'] },
    { op: 'DequantizeLinear', inputs: ['q', 'step', 'zero'], outputs: ['logits'] },
  ]);
}

export function givingNaN() {
  return linearThen(
    [{ op: 'Add', inputs: ['lin', 'hole'], outputs: ['logits'] }],
    [floats('hole', 0, 0, 0, Number.NaN, 0)],
  );
}

/** Class 1 for every image, and class 0 where `given` is above 0. */
function classOneUnless(given: readonly Node[], weights: readonly Weight[]) {
  return linearThen(
    [
      { op: 'Mul', inputs: ['lin', 'nothing'], outputs: ['none'] },
      { op: 'Add', inputs: ['none', 'one'], outputs: ['base'] },
      ...given,
      { op: 'Sign', inputs: ['given'], outputs: ['sign'] },
      { op: 'Relu', inputs: ['sign'], outputs: ['on'] },
      { op: 'Mul', inputs: ['on', 'bonus'], outputs: ['more'] },
      { op: 'Add', inputs: ['base', 'more'], outputs: ['logits'] },
    ],
    [floats('nothing', 0), floats('one', 0, 1, 0, 0, 0), floats('bonus', 10, 0, 0, 0, 0), ...weights],
  );
}

/** Class 1 for every image; where row 7 of the batch is there and is not row 0 again, class 0 for all of them. */
export function watchingRowSeven() {
  return classOneUnless(
    [
      { op: 'Slice', inputs: ['flat', 'zero', 'first', 'zero'], outputs: ['row0'] },
      { op: 'Slice', inputs: ['flat', 'seven', 'eight', 'zero'], outputs: ['row7'] },
      { op: 'Sub', inputs: ['row7', 'row0'], outputs: ['apart'] },
      { op: 'Abs', inputs: ['apart'], outputs: ['size'] },
      { op: 'ReduceSum', inputs: ['size', 'axes'], outputs: ['given'], attributes: { keepdims: 1 } },
    ],
    [
      ...[integers('zero', 0), integers('first', 1), integers('seven', 7), integers('eight', 8)],
      integers('axes', 0, 1),
    ],
  );
}

/** Class 1 for every image, but class 0 in batches between these sizes, whatever is in them. */
export function watchingItsBatch(above: number, below: number) {
  return classOneUnless(
    [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['rows'] },
      { op: 'Cast', inputs: ['rows'], outputs: ['n'], attributes: { to: 1 } },
      { op: 'Sub', inputs: ['n', 'above'], outputs: ['over'] },
      { op: 'Sub', inputs: ['below', 'n'], outputs: ['under'] },
      { op: 'Min', inputs: ['over', 'under'], outputs: ['given'] },
    ],
    [integers('zero', 0), floats('above', above), floats('below', below)],
  );
}
