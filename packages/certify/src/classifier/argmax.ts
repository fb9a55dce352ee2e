/**
 * From logits to the base classifier's answer, on the host. The count kernel's twin: both follow the same rule.
 */
import { TurnproofError } from '@turnproof/core';

/** The answer where a row of logits names no class. */
export const NO_CLASS = -1;

/**
 * Class of each row of logits `[rows, classes]`: the largest logit, the lowest index among equals (so b is a
 * function, whatever the batch). A row with a NaN or an infinity is {@link NO_CLASS}: counted for no class, it can only
 * lower a class's share.
 */
export function argmaxRows(logits: Float32Array, classes: number): Int32Array<ArrayBuffer> {
  if (!Number.isInteger(classes) || classes < 1 || logits.length % classes !== 0) {
    throw new TurnproofError('internal', `${logits.length} logits are no rows of ${classes} classes`);
  }
  const answers = new Int32Array(logits.length / classes);
  for (let row = 0; row < answers.length; row++) {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const logit = logits[row * classes + c] ?? Number.NaN;
      if (!Number.isFinite(logit)) {
        best = NO_CLASS;
        break;
      }
      if (logit > most) {
        most = logit;
        best = c;
      }
    }
    answers[row] = best;
  }
  return answers;
}
