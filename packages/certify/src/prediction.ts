/** What PREDICT's outcome says, in the form that is handed out. Not for deciding it: that is methods/. */

import { isCorrect, roundMs } from './certificate/build.ts';
import type { Certificate } from './certificate/schema.ts';
import { predictionWords } from './certificate/words.ts';
import type { PredictOutcome } from './methods/method.ts';
import type { Method, Plan } from './plan.ts';
import type { LedgerRecord } from './statistics/index.ts';

/** PREDICT's answer for one image. No certificate: it says nothing about transformed images. */
export interface Prediction {
  readonly index: number;
  readonly label: number | null;
  /** null: abstained. */
  readonly predicted: number | null;
  readonly correct: boolean | null;
  readonly method: Method;
  readonly guarantee: string;
  readonly abstention: string | null;
  readonly confidence: number;
  readonly ledger: LedgerRecord;
  readonly counts: { readonly nGamma: number; readonly kGamma: number };
  readonly pValue: number;
  readonly samples: number;
  readonly ms: Certificate['ms'];
}

export function predictionOf(
  outcome: PredictOutcome,
  { index, label }: { readonly index: number; readonly label: number | null },
  plan: Plan,
  lattice: number | null,
): Prediction {
  const { predicted, method, abstention, ledger, nGamma, kGamma, pValue, spent } = outcome;
  const { confidence } = plan;
  return {
    index,
    label,
    predicted,
    correct: isCorrect(label, predicted),
    method,
    guarantee: predictionWords({ method, confidence, predicted, abstention, lattice }),
    abstention,
    confidence,
    ledger: ledger.toJSON(),
    counts: { nGamma, kGamma },
    pValue,
    samples: spent.samples,
    ms: roundMs(spent),
  };
}
