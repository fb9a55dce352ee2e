import { describe, expect, it } from 'vitest';
import { checkPipeline, type Pipeline } from './pipeline.ts';

const shape = { channels: 1, height: 28, width: 20 };
const PIPELINE: Pipeline = {
  transform: 'rotation',
  range: 30,
  pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
  quantization: 'none',
};

describe('a pipeline', () => {
  it.each([
    [{}, shape],
    [{ range: 180 }, shape],
    [{ transform: 'translation', range: 19.5 }, shape],
    [
      { pre: { vignette: { kind: 'none' }, blur: null }, quantization: 'u8' },
      { channels: 3, height: 1, width: 1 },
    ],
  ] as const)('with %o is accepted', (change, of) => {
    expect(() => checkPipeline({ ...PIPELINE, ...change }, of)).not.toThrow();
  });

  it.each([
    [{ range: 0 }, 'range 0: it must be a number of degrees above 0'],
    [{ range: Number.NaN }, 'range NaN'],
    [{ range: Number.POSITIVE_INFINITY }, 'range Infinity'],
    [{ transform: 'translation', range: -1 }, 'range -1: it must be a number of pixels above 0'],
    [{ range: 180.5 }, 'range 180.5: a rotation reaches at most 180 degrees'],
    [
      { transform: 'translation', range: 20 },
      'a translation by 20 pixels moves all of an image of 20 x 28 out of sight',
    ],
    [{ pre: { vignette: { kind: 'circle', offset: 10 }, blur: null } }, 'vignette circle:10'],
    [{ pre: { vignette: { kind: 'rect', offset: 1.5 }, blur: null } }, 'the offset must be a whole number'],
    [
      { pre: { vignette: { kind: 'none' }, blur: { size: 4, sigma: 1 } } },
      'blur of 4 taps: the size must be odd',
    ],
    [{ pre: { vignette: { kind: 'none' }, blur: { size: 5, sigma: 0 } } }, 'blur with sigma 0'],
  ] as const)('with %o is refused: %s', (change, message) => {
    expect(() => checkPipeline({ ...PIPELINE, ...change }, shape)).toThrow(message);
  });

  it('for images that are none, or too large, is refused', () => {
    expect(() => checkPipeline(PIPELINE, { ...shape, channels: 0 })).toThrow('must be at least 1');
    expect(() => checkPipeline(PIPELINE, { ...shape, width: 5000 })).toThrow('sides of 1 to 4096');
  });

  it('that did not go through a type check is refused in words', () => {
    const change = (fields: object): Pipeline => ({ ...PIPELINE, ...fields });
    expect(() => checkPipeline(change({ transform: 'shear' }), shape)).toThrow(
      'transform «shear» is not known',
    );
    expect(() => checkPipeline(change({ quantization: 'u16' }), shape)).toThrow(
      'quantization «u16» is not known',
    );
  });
});
