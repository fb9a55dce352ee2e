import { describe, expect, it } from 'vitest';
import { decodeModel } from './onnx/tree.ts';
import { type Node, onnxModel } from './onnx-writer.test-support.ts';
import { scoresOf } from './scores.ts';

type Step = readonly [op: string, attributes?: Node['attributes']];

/** What is read of «z», through these operators, as the output «y». */
function through(...steps: readonly Step[]) {
  const name = (i: number) => (i === 0 ? 'z' : i === steps.length ? 'y' : `t${i}`);
  const nodes = steps.map(
    ([op, attributes = {}], i): Node => ({ op, inputs: [name(i)], outputs: [name(i + 1)], attributes }),
  );
  const bytes = onnxModel({
    inputs: [{ name: 'z', shape: ['n', 3] }],
    outputs: [{ name: 'y', shape: ['n', 3] }],
    nodes,
  });
  return scoresOf(decodeModel('m', bytes), 'y');
}

describe('scores', () => {
  it.each<[ReturnType<typeof scoresOf>, Step[]]>([
    ['logits', [['Relu']]],
    ['probabilities', [['Softmax']]],
    ['probabilities', [['Softmax', { axis: 1 }]]],
    ['log-probabilities', [['LogSoftmax']]],
    ['log-probabilities', [['Softmax'], ['Log']]],
    ['log-probabilities', [['Softmax'], ['Identity'], ['Log'], ['Identity']]],
    // keras2onnx ends so.
    ['probabilities', [['Softmax'], ['Identity']]],
    ['probabilities', [['Softmax'], ['Reshape'], ['Flatten'], ['Squeeze'], ['Unsqueeze']]],
    ['probabilities', [['Softmax'], ['Cast', { to: 11 }], ['Cast', { to: 1 }]]],
    ['logits', [['Softmax', { axis: 0 }]]],
    ['logits', [['Softmax'], ['Cast', { to: 7 }], ['Cast', { to: 1 }]]],
    ['logits', [['Softmax'], ['Sqrt']]],
    ['logits', [['Softmax'], ['Log'], ['Log']]],
    ['logits', [['LogSoftmax'], ['Log']]],
    ['logits', [['Softmax'], ['Relu'], ['Identity']]],
  ])('are %s after %j', (scores, steps) => {
    expect(through(...steps)).toBe(scores);
  });

  it('are logits where the output is nobody’s, or its own', () => {
    const bytes = onnxModel({
      inputs: [{ name: 'x', shape: ['n', 3] }],
      outputs: [{ name: 'y', shape: ['n', 3] }],
      nodes: [
        { op: 'Identity', inputs: ['b'], outputs: ['a'] },
        { op: 'Identity', inputs: ['a'], outputs: ['b'] },
      ],
    });
    const tree = decodeModel('m', bytes);
    expect([scoresOf(tree, 'a'), scoresOf(tree, 'x')]).toEqual(['logits', 'logits']);
  });
});
