/** The images of a run, one after the other, into its folder: with guard, progress, interruption and recovery. */
import type { Certificate, Classifier, Pipeline } from '@turnproof/certify';
import { argmaxRows } from '@turnproof/certify/classifier';
import { preOracle } from '@turnproof/shaders/oracle';
import type { Console } from '../console.ts';
import type { DataImage, Dataset } from '../data/index.ts';
import { type Guard, guardedRun, type ImageResult } from './guarded-run.ts';
import type { RunFolder } from './run-folder.ts';
import type { Pace, StateFile } from './run-state.ts';
import type { Survivor } from './survivor.ts';

export interface RunImages {
  readonly console: Console;
  readonly data: Dataset;
  /** Those that are still to be done. */
  readonly indices: readonly number[];
  readonly pipeline: Pipeline;
  readonly survivor: Survivor & Guard;
  readonly folder: RunFolder;
  readonly pace: Pace;
  readonly state: StateFile;
  readonly suspects: ReadonlySet<number>;
  readonly stop: AbortSignal;
  /** Told after each line is on disk. */
  readonly written: (certificate: Certificate, line: string, baseCorrect: boolean | null) => void;
}

interface Done extends ImageResult {
  readonly certificate: Certificate;
}

/** @throws TurnproofError see `guardedRun` and `Survivor.use` */
export async function certifyImages(run: RunImages): Promise<void> {
  const { console, data, indices, pipeline, survivor, folder, pace, state, stop } = run;
  const { imagesAtOnce } = (await survivor.current()).certifier;
  const certifyOne = async (index: number): Promise<Done> => {
    const image = await data.read(index);
    const started = performance.now();
    const made = await survivor.use(async ({ certifier, engine }, recovered) => ({
      baseCorrect: await isBaseCorrect(engine.classifier, image, data, pipeline),
      certificate: await certifier.certify(image, recovered),
    }));
    const { certificate } = made;
    const seconds = (performance.now() - started) / 1000;
    const { label, predicted, radius, correct } = certificate;
    return { index, label, predicted, radius, correct, line: JSON.stringify(certificate), seconds, ...made };
  };
  await survivor.check();
  state.update('certifying');
  await guardedRun({
    indices,
    work: certifyOne,
    atOnce: imagesAtOnce,
    guard: survivor,
    folder,
    suspects: run.suspects,
    stop,
    written: ({ certificate, line, seconds, baseCorrect }) => {
      pace.add(certificate.predicted !== null);
      state.update('certifying');
      run.written(certificate, line, baseCorrect);
      console.progress(pace.done, pace.total, `images, ${pace.words()}`);
      console.detail(
        `image ${certificate.index}: ${seconds.toFixed(1)} s, at most ${peakMegabytes()} MB of memory so far`,
      );
    },
  });
}

/** b(pre(x)) against the label: what the classifier can do without attack and noise. */
async function isBaseCorrect(
  classifier: Classifier,
  { pixels, label }: DataImage,
  { shape }: Dataset,
  { pre }: Pipeline,
): Promise<boolean | null> {
  if (label === null) return null;
  const logits = await classifier.logits(Float32Array.from(preOracle(pixels, shape, pre)), 1);
  return argmaxRows(logits, classifier.classes)[0] === label;
}

/** Of the whole process since its start. */
function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
