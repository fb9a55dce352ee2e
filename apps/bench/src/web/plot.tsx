/** Logarithmic axes in SVG, for every plot of the page. */
import type { ComponentChildren } from 'preact';

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** How a tick is written. */
  readonly tick: (value: number) => string;
}

export const WIDTH = 760;
export const HEIGHT = 420;
const LEFT = 74;
const BOTTOM = 48;
const EDGE = 16;

/** Where a value lies between the ends of an axis, in [0, 1]. */
const place = ({ from, to }: Axis, value: number): number => Math.log(value / from) / Math.log(to / from);

export const atX = (axis: Axis, value: number): number => LEFT + place(axis, value) * (WIDTH - LEFT - EDGE);
export const atY = (axis: Axis, value: number): number =>
  HEIGHT - BOTTOM - place(axis, value) * (HEIGHT - BOTTOM - EDGE);

/** Powers of ten within an axis, and 2 and 5 times them where there are few. */
function ticks({ from, to }: Axis): number[] {
  const decades = Math.log10(to / from);
  const steps = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const step of steps) all.push(step * 10 ** power);
  }
  return all.filter((value) => value >= from * 0.999 && value <= to * 1.001);
}

/** An axis around values, with a little room. */
export function axisOver(values: readonly number[], label: string, tick: Axis['tick'], room = 1.6): Axis {
  const good = values.filter((value) => value > 0 && Number.isFinite(value));
  if (good.length === 0) return { from: 1, to: 10, label, tick };
  return { from: Math.min(...good) / room, to: Math.max(...good) * room, label, tick };
}

export function Plot({
  x,
  y,
  title,
  children,
}: {
  x: Axis;
  y: Axis;
  title: string;
  children: ComponentChildren;
}) {
  return (
    <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
      {ticks(x).map((value) => (
        <g key={value}>
          <line class="grid" x1={atX(x, value)} x2={atX(x, value)} y1={EDGE} y2={HEIGHT - BOTTOM} />
          <text class="tick" x={atX(x, value)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
            {x.tick(value)}
          </text>
        </g>
      ))}
      {ticks(y).map((value) => (
        <g key={value}>
          <line class="grid" x1={LEFT} x2={WIDTH - EDGE} y1={atY(y, value)} y2={atY(y, value)} />
          <text class="tick" x={LEFT - 6} y={atY(y, value) + 4} text-anchor="end">
            {y.tick(value)}
          </text>
        </g>
      ))}
      <text class="axis" x={(LEFT + WIDTH) / 2} y={HEIGHT - 10} text-anchor="middle">
        {x.label}
      </text>
      <text
        class="axis"
        transform={`translate(14 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)`}
        text-anchor="middle"
      >
        {y.label}
      </text>
      {children}
    </svg>
  );
}
