import { clockOf } from '../suite/compare.ts';
import { duration, short } from './format.ts';
import { atX, atY, axisOver, Plot } from './plot.tsx';
import type { Session, Settings } from './session.ts';
import { KernelChoice } from './source.tsx';

export function Scaling({
  session,
  settings,
  selected,
  onSelected,
}: {
  session: Session;
  settings: Settings;
  selected: string;
  onSelected: (base: string) => void;
}) {
  const { curve } = session;
  const times = curve.map(({ measurement }) => clockOf(measurement).median);
  const work = curve.map(({ measurement }) => measurement.work);
  const unit = curve[0]?.measurement.unit ?? '';
  const x = axisOver(work, `work of one dispatch (${unit})`, (v) => short(v, 2), 1.4);
  const y = axisOver(times, 'time of one dispatch', duration, 1.4);
  const [last] = curve.slice(-1);
  const perUnit = last ? clockOf(last.measurement).median / last.measurement.work : 0;
  return (
    <section>
      <h2>Scaling</h2>
      <p>
        Time against work, doubled from an eighth to twice what the sliders say. On the dashed line time grows
        with the work; where points lie above it, a dispatch costs more than its work: give it more at once.
      </p>
      <div class="row">
        <KernelChoice selected={selected} onSelected={onSelected} />
        <button
          type="button"
          disabled={!session.gpu || session.progress !== undefined}
          onClick={() => void session.scale(settings, selected)}
        >
          Measure
        </button>
      </div>
      {curve.length > 0 && (
        <Plot x={x} y={y} title="Scaling">
          <path
            class="ideal"
            d={`M ${atX(x, Math.max(x.from, y.from / perUnit))} ${atY(y, Math.max(y.from, perUnit * x.from))} L ${atX(x, last?.measurement.work ?? x.to)} ${atY(y, perUnit * (last?.measurement.work ?? 0))}`}
          />
          <path
            class="line"
            d={curve
              .map((_, i) => `${i === 0 ? 'M' : 'L'} ${atX(x, work[i] ?? 1)} ${atY(y, times[i] ?? 1)}`)
              .join(' ')}
          />
          {curve.map(({ factor, measurement }, i) => (
            <g key={factor}>
              <circle class="point" cx={atX(x, work[i] ?? 1)} cy={atY(y, times[i] ?? 1)} r="5" />
              {/* Above the line; the first one has the axis there. */}
              <text
                class={i === 0 ? 'tick over' : 'tick over end'}
                x={atX(x, work[i] ?? 1) + (i === 0 ? 9 : -9)}
                y={atY(y, times[i] ?? 1) + (i === 0 ? 14 : -6)}
              >
                {duration(times[i] ?? 0)}, {short(measurement.perSecond)}/s
              </text>
            </g>
          ))}
        </Plot>
      )}
    </section>
  );
}
