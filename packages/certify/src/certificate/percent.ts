/** 0.99 as «99 %»; at most 12 digits, so that 0.999 is not 99.89999999999999 %. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(12))} %`;
}
