/** Numbers as people read them. */
const PREFIXES = ['', 'k', 'M', 'G', 'T'] as const;

export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  const power = value < 1000 ? 0 : Math.min(PREFIXES.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  const text = scaled >= 100 ? scaled.toFixed(0) : scaled.toPrecision(digits);
  return power === 0 ? text : `${text} ${PREFIXES[power]}`;
}

export function duration(ms: number): string {
  if (ms === 0) return '0';
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`;
  if (ms >= 1) return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
  return `${(1000 * ms).toPrecision(3)} µs`;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '< 0.1 %';
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/** A case's name without its image size: the same case at any. */
export const baseName = (name: string): string => name.replace(/ (\d+x\d+x\d+|x\d+)(?=,|$)/, '');
