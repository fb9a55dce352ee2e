import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../data/testing/files.ts';
import { imagesOf, parseShard } from './shard.ts';

/** The variables of task `id` of `sbatch --array=MIN-MAX:STEP`, as Slurm sets them. */
function slurm(id: number, min: number, max: number, step: number, count: number) {
  return {
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_MIN: String(min),
    SLURM_ARRAY_TASK_MAX: String(max),
    SLURM_ARRAY_TASK_STEP: String(step),
    SLURM_ARRAY_TASK_COUNT: String(count),
  };
}

describe('shards', () => {
  it('are disjoint, strided, and together all images in their order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (size, count) => {
        const all = Array.from({ length: size }, (_, i) => 3 * i);
        const parts = Array.from({ length: count }, (_, i) => imagesOf(all, { index: i + 1, count }));
        expect(all.map((_, i) => parts[i % count]?.[Math.floor(i / count)])).toEqual(all);
        expect(parts.flat().length).toBe(size);
      }),
    );
  });
  it.each([
    ['1/1', { index: 1, count: 1 }],
    ['4/4', { index: 4, count: 4 }],
  ])('%s is counted from 1', (word, shard) => {
    expect(parseShard(word, {})).toEqual(shard);
  });
  it.each(['0/4', '5/4', '1', '1/0', 'a/b', '-1/4', '1/4/2', ''])('«%s» is refused', async (word) => {
    expect(await refusalOf(() => parseShard(word, {}))).toContain('--shard');
  });
  it.each([
    [slurm(1, 1, 8, 1, 8), { index: 1, count: 8 }],
    [slurm(7, 0, 7, 1, 8), { index: 8, count: 8 }],
    [slurm(9, 1, 13, 4, 4), { index: 3, count: 4 }],
  ])('of a Slurm array come from its variables (%#)', (env, shard) => {
    expect(parseShard('auto', env)).toEqual(shard);
  });
  it('of a Slurm array with gaps are refused: the tasks would not know their places', async () => {
    // --array=1,3,7
    expect(await refusalOf(() => parseShard('auto', slurm(3, 1, 7, 1, 3)))).toContain('has gaps');
  });
  it.each(['COUNT', 'MIN', 'MAX'])(
    'of a Slurm array name the variable that was not passed on: %s',
    async (name) => {
      const { [`SLURM_ARRAY_TASK_${name}`]: _, ...env } = { ...slurm(3, 1, 8, 1, 8) } as Record<
        string,
        string
      >;
      const refusal = await refusalOf(() => parseShard('auto', env));
      expect(refusal).toContain(`SLURM_ARRAY_TASK_ID is 3, but SLURM_ARRAY_TASK_${name} is not set`);
      expect(refusal).not.toContain('gaps');
    },
  );
  it('of a Kubernetes job need the number of completions, which Kubernetes does not tell', async () => {
    const index = { JOB_COMPLETION_INDEX: '2' };
    expect(parseShard('auto', { ...index, TURNPROOF_SHARDS: '4' })).toEqual({ index: 3, count: 4 });
    expect(await refusalOf(() => parseShard('auto', index))).toContain('TURNPROOF_SHARDS is not set');
    expect(await refusalOf(() => parseShard('auto', { ...index, TURNPROOF_SHARDS: '2' }))).toContain('is 2');
  });
  it('are refused as auto outside of any array', async () => {
    expect(await refusalOf(() => parseShard('auto', {}))).toContain('SLURM_ARRAY_TASK_ID');
  });
});
