/**
 * The two roofs of this adapter, measured by kernels that do nothing else: copying memory, and multiply-adds in
 * registers. Our kernels cannot be faster than both allow.
 */
import { defineKernel, storage, uniform } from '@turnproof/core';
import type { KernelCase } from './case.ts';

const GROUP = 64;
/** Elements that one thread copies, a row of threads apart, so that neighbours read neighbours. */
const EACH = 16;

const copyKernel = defineKernel({
  name: 'copy',
  source: `
struct Params { threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = 0u; i < ${EACH}u; i++) {
    let at = i * params.threads + id.x;
    output[at] = source[at];
  }
}`,
  bindings: {
    params: uniform({ threads: 'u32' }),
    source: storage('f32', 'read'),
    output: storage('f32', 'read_write'),
  },
});

const ROUNDS = 256;
/** Multiply-adds of one round: four independent chains of four lanes each. */
const PER_ROUND = 16;

const fmaKernel = defineKernel({
  name: 'multiply_add',
  source: `
struct Params { factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(${GROUP})
fn multiply_add(@builtin(global_invocation_id) id: vec3u) {
  let start = vec4f(f32(id.x), 1.0, 2.0, 3.0);
  let f = vec4f(params.factor);
  var a = start;
  var b = start + 0.1;
  var c = start + 0.2;
  var d = start + 0.3;
  for (var i = 0u; i < ${ROUNDS}u; i++) {
    a = a * f + start;
    b = b * f + start;
    c = c * f + start;
    d = d * f + start;
  }
  let sum = a + b + c + d;
  output[id.x] = sum.x + sum.y + sum.z + sum.w;
}`,
  bindings: { params: uniform({ factor: 'f32' }), output: storage('f32', 'read_write') },
});

export const COPY_NAME = 'roof: copy';
export const FMA_NAME = 'roof: multiply-add';

/** @param groups - Workgroups of each: 1,024 copy 4 MiB, three sets of them 24 MiB; a real GPU wants more. */
export function roofCases(groups: number): KernelCase[] {
  const threads = GROUP * groups;
  const elements = EACH * threads;
  const share = (part: number) => Math.max(1, Math.round(part * groups));
  return [
    {
      kind: 'roof',
      name: COPY_NAME,
      kernel: copyKernel,
      unit: 'bytes',
      work: 8 * elements,
      bytes: 8 * elements,
      operations: 0,
      prepare: async (gpu) => {
        const compiled = await gpu.compile(copyKernel);
        const sets = Array.from({ length: 3 }, () => ({
          source: gpu.upload('f32', new Float32Array(elements).fill(1), 'copied from'),
          output: gpu.array('f32', elements, 'copied to'),
        }));
        return {
          dispatch: (batch, turn, part) => {
            const set = sets[turn % sets.length];
            if (set)
              batch.dispatch(compiled, { ...set, params: { threads: GROUP * share(part) } }, [share(part)]);
          },
          release: () => {
            for (const { source, output } of sets) {
              source.release();
              output.release();
            }
          },
        };
      },
    },
    {
      kind: 'roof',
      name: FMA_NAME,
      kernel: fmaKernel,
      unit: 'operations',
      work: 2 * PER_ROUND * ROUNDS * threads,
      bytes: 4 * threads,
      operations: 2 * PER_ROUND * ROUNDS * threads,
      prepare: async (gpu) => {
        const compiled = await gpu.compile(fmaKernel);
        const output = gpu.array('f32', threads, 'sums');
        return {
          dispatch: (batch, _, part) =>
            batch.dispatch(compiled, { output, params: { factor: 0.5 } }, [share(part)]),
          release: () => output.release(),
        };
      },
    },
  ];
}
