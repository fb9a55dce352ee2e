/**
 * What a model's scores are, by the operator that makes them: a loss needs to know, the largest class does not. Not a
 * proof: a Softmax that is written out as Exp and Div is taken for logits.
 */
import type { ModelProto, NodeProto } from './onnx/onnx-pb.ts';
import { FLOAT, FLOAT16 } from './onnx/tree.ts';

export type Scores = 'logits' | 'probabilities' | 'log-probabilities';

/** The same numbers, in another shape or under another name. */
const HANDED_ON = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);
/** TensorProto.DataType: float32, float16, float64, bfloat16. */
const FLOATS = [FLOAT, FLOAT16, 11, 16];

/** Follows an output back to the operator that computed it. */
export function scoresOf({ graph }: ModelProto, outputName: string): Scores {
  const makers = new Map(graph?.node.flatMap((node) => node.output.map((name) => [name, node])));
  const seen = new Set<string>();
  let name = outputName;
  let logarithm = false;
  // No valid graph has a cycle, but this one came from a file.
  while (!seen.has(name)) {
    seen.add(name);
    const node = makers.get(name);
    if (!node || !(node.domain === '' || node.domain === 'ai.onnx')) break;
    if (node.opType === 'LogSoftmax' && !logarithm && isOverClasses(node)) return 'log-probabilities';
    if (node.opType === 'Softmax' && isOverClasses(node)) {
      return logarithm ? 'log-probabilities' : 'probabilities';
    }
    if (node.opType === 'Log' && !logarithm) logarithm = true;
    else if (!HANDED_ON.has(node.opType) && !isFloatCast(node)) break;
    name = node.input[0] ?? '';
  }
  return 'logits';
}

/** Axis 0 is the batch. */
const isOverClasses = ({ attribute }: NodeProto): boolean =>
  attribute.find(({ name }) => name === 'axis')?.i !== 0n;

function isFloatCast({ opType, attribute }: NodeProto): boolean {
  return opType === 'Cast' && FLOATS.includes(Number(attribute.find(({ name }) => name === 'to')?.i));
}
