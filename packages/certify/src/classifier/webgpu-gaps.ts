/**
 * Operators of a model for which onnxruntime's webgpu provider has no kernel. The runtime would quietly put each of
 * them on its CPU, with a copy there and back in every run; here they are found beforehand and named.
 *
 * Source of truth is the runtime's own log («webgpu kernel not found in registries for Op type: X node name: Y»), which
 * knows types, versions and attributes. Nodes that only compute with shapes belong on the CPU anyway and do not count.
 */
import type { InspectedModel } from './model.ts';
import type { GraphProto, NodeProto } from './onnx/onnx-pb.ts';
import { decodeModel } from './onnx/tree.ts';
import { exclusive, loadOrt, sessionLog } from './ort-runtime.ts';

export interface WebgpuGap {
  readonly op: string;
  /** The node's name, or what it gives where it has none. */
  readonly node: string;
}

const NOT_FOUND = /webgpu kernel not found in registries for Op type: (\S+) node name: ?(.*)$/;

/** «Shrink (node «s»)», «Shrink (node «s») and 3 more» */
export function gapWords(gaps: readonly WebgpuGap[]): string {
  const [first] = gaps;
  if (!first) return 'none';
  const more = gaps.length > 1 ? ` and ${gaps.length - 1} more` : '';
  return `${first.op} (node «${first.node.slice(0, 80)}»)${more}`;
}

/**
 * Opens a session of the model on the device, reads its log, and closes it again. Empty also where no session can be
 * opened: the classifier's own will fail then, and say why.
 */
export async function webgpuGaps({ bytes, info }: InspectedModel, device: GPUDevice): Promise<WebgpuGap[]> {
  const ort = await loadOrt('webgpu');
  const lines = await exclusive(() => sessionLog(ort, bytes, device));
  const graph = decodeModel(info.file, bytes).graph;
  const onPixels = graph ? nodesOnPixels(graph, info.inputName) : [];
  const gaps = new Map<string, WebgpuGap>();
  for (const line of lines) {
    const [, op, name] = NOT_FOUND.exec(line.trimEnd()) ?? [];
    if (op === undefined || name === undefined) continue;
    const same = onPixels.filter((node) => node.opType === op && node.name === name);
    for (const node of same) {
      const shown = name === '' ? (node.output[0] ?? '') : name;
      gaps.set(`${op} ${shown}`, { op, node: shown });
    }
    // The runtime may have merged nodes: then the name is its own, and nothing says that it is about shapes.
    const known = graph?.node.some((node) => node.opType === op && node.name === name) ?? false;
    if (!known) gaps.set(`${op} ${name}`, { op, node: name === '' ? 'made by the runtime' : name });
  }
  return [...gaps.values()];
}

/** Nodes that see the values of the input, not only its shape. */
function nodesOnPixels(graph: GraphProto, inputName: string): NodeProto[] {
  const carries = new Set([inputName]);
  const found = new Set<NodeProto>();
  // Nodes need not be in order, so until nothing is added.
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const node of graph.node) {
      if (found.has(node) || node.opType === 'Shape' || node.opType === 'Size') continue;
      if (!node.input.some((name) => carries.has(name))) continue;
      found.add(node);
      for (const name of node.output) carries.add(name);
    }
  }
  return [...found];
}
