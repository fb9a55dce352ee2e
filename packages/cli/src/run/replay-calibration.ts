/** Draws images of a calibration again, from its seed and with its images, and compares. */
import {
  type Calibration,
  type CalibrationImage,
  calibrationImages,
  calibrationObstacles,
  pipelineOfCalibration,
  replayCalibrationImage,
} from '@turnproof/certify';
import type { Console } from '../console.ts';
import { type FolderOptions, openDataset } from '../data/index.ts';
import type { Values } from '../options/values.ts';
import { openGpu } from '../prepare/engine.ts';
import { openJudge } from '../prepare/judge.ts';
import { adapterFor, chooseLines, exactnessWords, missingImage, notDrawn, type Replayed } from './replay.ts';

export interface ReplayedImage extends Replayed {
  /** Such as «choice.images[3]». */
  readonly field: string;
  readonly index: number;
}

/**
 * Draws K of the images again that chose E or tested it.
 *
 * @param data where they are, as on a command line
 * @throws TurnproofError `bad-input` where the data cannot be used
 */
export async function* replayCalibration(
  calibration: Calibration,
  { k, seed, data, folder }: { k: number; seed: bigint; data: string; folder: FolderOptions },
  values: Values,
  console: Console,
): AsyncGenerator<ReplayedImage> {
  const all = calibrationImages(calibration);
  const chosen = chooseLines(all.length, k, seed).flatMap((at) => all[at] ?? []);
  const images = await openDataset(data, folder);
  const pipeline = pipelineOfCalibration(calibration);
  const { shape, errors, sigmaGamma, nGammas, bound } = calibration;
  const gpu = await openGpu(values.text('adapter') ?? (await adapterFor(calibration.adapter)), console);
  try {
    const choice = { errors, sigmaGamma, nGammas: nGammas ?? 1, seed: BigInt(calibration.seed) };
    const judge = await openJudge(gpu, shape, pipeline, choice, bound ?? 'auto');
    try {
      for (const [done, one] of chosen.entries()) {
        console.progress(done, chosen.length, 'images of the calibration drawn again');
        const { index } = one.stated;
        const place = { field: one.field, index };
        const missing = missingImage(`${one.field}.index`, index, images.size);
        if (missing.length > 0) {
          yield { ...place, ...notDrawn(missing) };
          continue;
        }
        const image = await images.read(index);
        const here = { image: image.sha256, shape: images.shape };
        const obstacles = calibrationObstacles(calibration, one, here);
        if (obstacles.length > 0) {
          yield { ...place, ...notDrawn(obstacles) };
          continue;
        }
        const pixels = Float32Array.from(image.pixels);
        const { adapterClass } = gpu.adapter;
        const again = await replayCalibrationImage(calibration, one, { index, pixels }, judge, adapterClass);
        const { problems, loose, differences } = again;
        yield { ...place, problems, exact: loose === null, words: words(one, differences, loose) };
      }
    } finally {
      judge.close();
    }
  } finally {
    gpu.close();
  }
}

function words({ kind }: CalibrationImage, differences: number, loose: string | null): string {
  const what = kind === 'chose' ? 'the error by which it chose E' : 'its β held against E';
  return `${what}: ${differences} figures differ (${exactnessWords(loose)})`;
}
