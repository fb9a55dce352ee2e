/**
 * What the page holds: the device, results (measured here or imported), what is being measured. One measurement at a
 * time.
 */
import type { Gpu } from '@turnproof/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { DEFAULT_KNOBS, type Knobs } from '../suite/knobs.ts';
import { PATIENCE } from '../suite/measure.ts';
import { type Measurement, parseResult, type Result } from '../suite/result.ts';
import { runSuite, type ScalingPoint, scalingCurve } from '../suite/suite.ts';
import { baseName } from './format.ts';
import { assets, circumstances, openGpu } from './host.ts';

export interface Loaded {
  readonly name: string;
  readonly result: Result;
}

export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly name: string;
}

export interface Settings {
  readonly knobs: Knobs;
  readonly budgetMs: number;
  /** The classifier on webgpu as well: slow on software adapters. */
  readonly ortWebgpu: boolean;
}

/** Sizes from the page's address: ?size=28&channels=1&batch=256&betas=8&boxes=64&budget=500. */
export function settingsFrom(address: string): Settings {
  const given = new URL(address).searchParams;
  const number = (name: string, usual: number) => {
    const value = Number(given.get(name));
    return Number.isInteger(value) && value > 0 ? value : usual;
  };
  const size = number('size', 28);
  return {
    knobs: {
      shapes: [{ channels: number('channels', 1), height: size, width: size }],
      batch: number('batch', DEFAULT_KNOBS.batch),
      betas: number('betas', DEFAULT_KNOBS.betas),
      boxes: number('boxes', DEFAULT_KNOBS.boxes),
    },
    budgetMs: number('budget', 500),
    ortWebgpu: given.get('ort') === 'webgpu',
  };
}

const words = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const fix = 'fix' in error && typeof error.fix === 'string' ? ` (${error.fix})` : '';
  return `${error.message}${fix}`;
};

export function useSession() {
  const [gpu, setGpu] = useState<Gpu>();
  const [error, setError] = useState<string>();
  const [loaded, setLoaded] = useState<readonly Loaded[]>([]);
  const [current, setCurrent] = useState(0);
  const [progress, setProgress] = useState<Progress>();
  const [live, setLive] = useState<readonly { measurement: Measurement; knobs: Knobs }[]>([]);
  const [curve, setCurve] = useState<readonly ScalingPoint[]>([]);
  const busy = useRef(false);

  useEffect(() => {
    openGpu().then(setGpu, (cause: unknown) => setError(words(cause)));
  }, []);

  const add = (name: string, result: Result) =>
    setLoaded((before) => {
      setCurrent(before.length);
      return [...before, { name, result }];
    });

  /** One at a time; what fails is shown. */
  const exclusively = async (work: (device: Gpu) => Promise<void>): Promise<boolean> => {
    if (busy.current || !gpu) return false;
    busy.current = true;
    setError(undefined);
    try {
      await work(gpu);
    } catch (cause) {
      setError(words(cause));
    } finally {
      busy.current = false;
      setProgress(undefined);
    }
    return true;
  };

  const suite = async (device: Gpu, { knobs, budgetMs, ortWebgpu }: Settings, only = '') =>
    runSuite(device, {
      knobs,
      only,
      assets: assets(ortWebgpu ? ['wasm', 'webgpu'] : ['wasm']),
      patience: { ...PATIENCE, minRepeats: 5, budgetMs },
      circumstances: await circumstances(device),
      onMeasured: ({ name }, done, of) => setProgress({ done, of, name }),
    });

  return {
    gpu,
    error,
    loaded,
    current,
    result: loaded[current]?.result,
    progress,
    live,
    curve,
    choose: setCurrent,
    dismiss: () => setError(undefined),
    run: (settings: Settings) =>
      exclusively(async (device) => {
        setProgress({ done: 0, of: 1, name: 'opening' });
        const result = await suite(device, settings);
        add(`this page, ${result.circumstances.date.slice(11, 19)}`, result);
      }),
    /** Measures one case again, for the list beside the sliders. False while something else is measured. */
    again: (settings: Settings, base: string) =>
      exclusively(async (device) => {
        setProgress({ done: 0, of: 1, name: base });
        const { measurements } = await suite(device, settings, base);
        const found = measurements.find(({ name }) => baseName(name) === base);
        if (found)
          setLive((before) => [{ measurement: found, knobs: settings.knobs }, ...before].slice(0, 8));
      }),
    scale: ({ knobs, budgetMs }: Settings, base: string) =>
      exclusively(async (device) => {
        setCurve([]);
        setProgress({ done: 0, of: 1, name: base });
        const size = knobs.shapes[0];
        const name =
          base === 'argmax_count'
            ? 'argmax_count x10'
            : `${base} ${size?.width}x${size?.height}x${size?.channels}`;
        const options = { knobs, assets: null, patience: { ...PATIENCE, minRepeats: 5, budgetMs } };
        await scalingCurve(device, name, options, (point) => setCurve((before) => [...before, point]));
      }),
    importFiles: async (files: FileList) => {
      for (const file of files) {
        try {
          const imported = parseResult(file.name, await file.text());
          add(`${file.name}, ${imported.circumstances.date.slice(11, 19)}`, imported);
          setError(undefined);
        } catch (cause) {
          setError(words(cause));
        }
      }
    },
  };
}

export type Session = ReturnType<typeof useSession>;
