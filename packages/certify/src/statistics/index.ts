/**
 * Statistics of a certificate: bounds, tests, quantiles and the α ledger. Everything that leaves here errs on the
 * safe side by construction; see SOUNDNESS for which file keeps which promise.
 */
export { AlphaLedger, DEFAULT_SPLIT, type LedgerRecord } from './alpha-ledger.ts';
export {
  type BoundedLog,
  binomialTwoSidedPValue,
  type LogTail,
  logBinomialPmf,
  logLowerTail,
  logUpperTail,
  regularisedIncompleteBeta,
} from './binomial.ts';
export { clopperPearsonLower, clopperPearsonUpper } from './clopper-pearson.ts';
export { addUp, divideUp, multiplyDown, subtractDown } from './directed.ts';
export { fixedThreshold, smallestUsefulN } from './fixed-test.ts';
export {
  normalCdf,
  normalCdfLower,
  normalCdfUpper,
  normalQuantileLower,
  normalQuantileUpper,
} from './normal.ts';
export { type Prediction, predictClass, predictFromCounts } from './predict.ts';
export { l2Radius, paperRadius, shareNeededFor, tightRadius } from './radius.ts';
export {
  type Decision,
  innerThresholds,
  logEvidence,
  type SequentialOptions,
  SequentialTest,
  SequentialThresholds,
} from './sequential-test.ts';
export { logCentralBinomial, logFactorial, stirlingRemainder } from './stirling.ts';
