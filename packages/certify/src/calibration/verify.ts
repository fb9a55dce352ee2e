/** Checks a calibration without trusting it and without a GPU: q_E follows from its counts, E from its choice. */
import { Audit, type Problem } from '../certificate/audit.ts';
import { checkPipeline, type Pipeline } from '../pipeline.ts';
import { mostExceeding, qLower } from './claims.ts';
import { type Calibration, type CalibrationSummary, calibrationSchema } from './schema.ts';
import { calibrationWords } from './words.ts';

/** Counts to what they allow: for a file and for the summary in a certificate. */
export function checkCalibrationClaim(
  audit: Audit,
  field: string,
  summary: Omit<CalibrationSummary, 'sha256'>,
): void {
  const { passed, nImages, alpha, alphaInner } = summary;
  audit.same(`${field}nGammas`, summary.nGammas === null, summary.errors === 'bounded');
  audit.atMost(`${field}passed`, passed, nImages, 'its images');
  audit.attempt(`${field}nBetas`, () => {
    audit.same(`${field}mostExceeding`, summary.mostExceeding, mostExceeding(summary));
    if (passed <= nImages) audit.close(`${field}qE`, summary.qE, qLower(passed, nImages, alpha, alphaInner));
  });
}

/** What is wrong with a calibration; none: its figures follow from its counts. */
export function verifyCalibration(content: unknown): {
  readonly calibration: Calibration | null;
  readonly problems: readonly Problem[];
} {
  const parsed = calibrationSchema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: path.map(String).join('.') || 'calibration',
      message,
    }));
    return { calibration: null, problems };
  }
  const { data } = parsed;
  const audit = new Audit();
  checkCalibrationClaim(audit, '', data);
  audit.attempt('pipeline', () => checkPipeline(pipelineOfCalibration(data), data.shape));
  audit.same('bound', data.bound === null, data.errors === 'sampled');
  audit.same('guarantee', data.guarantee, calibrationWords(data));
  audit.same('nImages', data.nImages, data.images.length);
  audit.same('passed', data.passed, data.images.filter(({ passed }) => passed).length);
  for (const [i, { tested, exceeded, passed }] of data.images.entries()) {
    const field = `images[${i}]`;
    audit.atMost(`${field}.tested`, tested, data.nBetas, 'the β of an image');
    audit.atMost(`${field}.exceeded`, exceeded, tested, 'those tested');
    audit.same(`${field}.passed`, passed, tested === data.nBetas && exceeded <= data.mostExceeding);
    if (tested < data.nBetas && exceeded <= data.mostExceeding) {
      audit.refuse(field, 'was neither decided nor tested to its end');
    }
  }
  const hashes = [...data.images, ...(data.choice?.images ?? [])].map(({ sha256 }) => sha256);
  if (new Set(hashes).size < hashes.length) {
    audit.refuse(
      'images',
      'an image is there twice: they must be independent, and apart from those that chose E',
    );
  }
  if (data.choice) {
    const largest = data.choice.images.reduce((most, { error }) => Math.max(most, error), 0);
    audit.same('choice.largest', data.choice.largest, largest);
    audit.same('E', data.E, data.choice.margin * largest);
  }
  return { calibration: data, problems: audit.problems };
}

export function pipelineOfCalibration({ pipeline }: Pick<Calibration, 'pipeline'>): Pipeline {
  const { transform, range, vignette, blur, quantization } = pipeline;
  return { transform, range, pre: { vignette, blur }, quantization };
}
