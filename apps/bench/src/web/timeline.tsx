import { useState } from 'preact/hooks';
import { LANES } from '../suite/exports.ts';
import type { Timeline } from '../suite/result.ts';
import { covered } from '../suite/shares.ts';
import { duration, percent } from './format.ts';
import { Empty, ShareBar } from './overview.tsx';
import type { Session } from './session.ts';

const WIDTH = 1000;
const LANE = 44;

export function TimelineView({ session: { result } }: { session: Session }) {
  const [chosen, setChosen] = useState(0);
  const [zoom, setZoom] = useState(1);
  const [at, setAt] = useState(0);
  const timeline = result?.timelines[chosen] ?? result?.timelines[0];
  if (!result || !timeline) return <Empty what="when the processor, the GPU and the classifier worked" />;
  const { wallMs } = timeline.shares;
  const length = wallMs / 2 ** (zoom - 1);
  const from = at * (wallMs - length);
  return (
    <section>
      <h2>Timeline</h2>
      <div class="row">
        <label>
          run{' '}
          <select value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
            {result.timelines.map(({ name }, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="slider">
          <span>zoom ×{2 ** (zoom - 1)}</span>
          <input
            type="range"
            min="1"
            max="9"
            value={zoom}
            onInput={(event) => setZoom(Number(event.currentTarget.value))}
          />
        </label>
        <label class="slider">
          <span>from {duration(from)}</span>
          <input
            type="range"
            min="0"
            max="1"
            step="0.005"
            value={at}
            disabled={zoom === 1}
            onInput={(event) => setAt(Number(event.currentTarget.value))}
          />
        </label>
      </div>
      <p>
        One run of {duration(wallMs)}, recorded apart from the timed ones. A gap in the two lower lanes is
        time in which neither our kernels nor the classifier worked.
      </p>
      <ShareBar m={timeline} />
      <Lanes timeline={timeline} from={from} length={length} />
      <Labels timeline={timeline} />
    </section>
  );
}

function Lanes({ timeline, from, length }: { timeline: Timeline; from: number; length: number }) {
  const x = (ms: number) => ((ms - from) / length) * WIDTH;
  const inView = timeline.events.filter(({ start, end }) => end >= from && start <= from + length);
  const marks = Array.from({ length: 6 }, (_, i) => from + (length * i) / 5);
  const height = LANES.length * LANE + 26;
  return (
    <svg class="plot lanes" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label="Lanes">
      {marks.map((ms, i) => (
        <g key={ms}>
          <line class="grid" x1={x(ms)} x2={x(ms)} y1="0" y2={height - 20} />
          <text
            class="tick"
            x={x(ms)}
            y={height - 6}
            text-anchor={i === 0 ? 'start' : i === 5 ? 'end' : 'middle'}
          >
            {duration(ms)}
          </text>
        </g>
      ))}
      {LANES.map(({ lane, title }, row) => (
        <g key={lane}>
          <text class="axis" x="4" y={row * LANE + 13}>
            {title}
          </text>
          {inView
            .filter((event) => event.lane === lane)
            .map(({ label, start, end }, i) => (
              <rect
                key={i}
                class={`span ${lane}`}
                x={x(start)}
                y={row * LANE + 17}
                width={Math.max(1, x(end) - x(start))}
                height={LANE - 22}
              >
                <title>{`${label}: ${duration(end - start)} from ${duration(Math.max(0, start))}`}</title>
              </rect>
            ))}
        </g>
      ))}
    </svg>
  );
}

function Labels({ timeline }: { timeline: Timeline }) {
  const groups = new Map<string, { lane: string; label: string; events: Timeline['events'] }>();
  for (const event of timeline.events) {
    // Batches are labelled with their sizes.
    const label = event.lane === 'submit' ? 'all batches' : event.label;
    const key = `${event.lane} ${label}`;
    const group = groups.get(key) ?? { lane: event.lane, label, events: [] };
    group.events.push(event);
    groups.set(key, group);
  }
  const { wallMs } = timeline.shares;
  const rows = [...groups.values()]
    .map((group) => ({ ...group, ms: covered(group.events, wallMs) }))
    .sort((a, b) => b.ms - a.ms);
  return (
    <table>
      <caption>What took how long</caption>
      <thead>
        <tr>
          <th>lane</th>
          <th>what</th>
          <th class="number">times</th>
          <th class="number">altogether</th>
          <th class="number">of the run</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ lane, label, events, ms }) => (
          <tr key={`${lane} ${label}`}>
            <td>
              <span class="key">
                <i class={lane} />
                {LANES.find((known) => known.lane === lane)?.title}
              </span>
            </td>
            <th>{label}</th>
            <td class="number">{events.length}</td>
            <td class="number">{duration(ms)}</td>
            <td class="number">{percent(ms / wallMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
