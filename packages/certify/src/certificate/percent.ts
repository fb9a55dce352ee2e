/** The largest number below 1. */
const ALMOST_ONE = 1 - 2 ** -53;

/**
 * 0.99 as «99 %». 15 digits: all that people write, and not what binary fractions add to them, so that 0.999 is not
 * 99.89999999999999 %. What is below 1 is never «100 %».
 */
export function percent(share: number): string {
  const written = Number((100 * Number(share.toPrecision(15))).toPrecision(15));
  return `${written === 100 && share < 1 ? 100 * share : written} %`;
}

/** The confidence that an error probability above 0 leaves: 0.001 as «99.9 %», never «100 %». */
export function confidenceAt(alpha: number): string {
  return percent(Math.min(1 - alpha, ALMOST_ONE));
}
