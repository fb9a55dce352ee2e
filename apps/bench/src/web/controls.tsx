import { useEffect, useRef, useState } from 'preact/hooks';
import { clockOf } from '../suite/compare.ts';
import { toChromeTrace, toCsv } from '../suite/exports.ts';
import type { Knobs } from '../suite/knobs.ts';
import { duration, short } from './format.ts';
import { download } from './host.ts';
import type { Session, Settings } from './session.ts';

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Doubles from mark to mark instead of counting. */
  readonly doubling?: boolean;
  readonly onValue: (value: number) => void;
}

function Slider({ label, value, min, max, doubling = false, onValue }: SliderProps) {
  const to = (x: number) => (doubling ? Math.log2(x) : x);
  const from = (x: number) => Math.round(doubling ? 2 ** x : x);
  return (
    <label class="slider">
      <span>
        {label} <output>{value}</output>
      </span>
      <input
        type="range"
        aria-label={label}
        min={to(min)}
        max={to(max)}
        step={1}
        value={to(value)}
        onInput={(event) => onValue(from(Number(event.currentTarget.value)))}
      />
    </label>
  );
}

/** Milliseconds without a move of the sliders before the live case runs. */
const CALM = 400;

export function Controls({
  session,
  settings,
  selected,
  onSettings,
  onSelected,
}: {
  session: Session;
  settings: Settings;
  selected: string;
  onSettings: (settings: Settings) => void;
  onSelected: (base: string) => void;
}) {
  const [following, setFollowing] = useState(false);
  const { knobs } = settings;
  const [shape = { channels: 1, height: 28, width: 28 }] = knobs.shapes;
  const set = (change: Partial<Knobs>) => onSettings({ ...settings, knobs: { ...knobs, ...change } });
  const { again } = session;
  const working = session.progress !== undefined;
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (!following || working) return;
    const timer = setTimeout(() => void latest.current(settings, selected), CALM);
    return () => clearTimeout(timer);
    // Not of `working`: its end must not start the next run.
  }, [following, settings, selected]);
  const { result, progress, gpu } = session;
  const name = () => result?.circumstances.date.replaceAll(/[^\d]/g, '').slice(0, 14) ?? '';
  return (
    <section class="controls" aria-label="What to measure">
      <div class="row">
        <button
          type="button"
          class="main"
          disabled={!gpu || working}
          onClick={() => void session.run(settings)}
        >
          Run all cases
        </button>
        <button
          type="button"
          disabled={!gpu || working}
          onClick={() => void session.again(settings, selected)}
        >
          Run {selected}
        </button>
        <label>
          <input
            type="checkbox"
            checked={following}
            onChange={(event) => setFollowing(event.currentTarget.checked)}
          />{' '}
          run it again when a slider moves
        </label>
        <span class="fill" role="status">
          {progress ? `${progress.done} of ${progress.of}: ${progress.name}` : gpu ? 'ready' : ''}
        </span>
      </div>
      <div class="row sliders">
        <Slider
          label="image size"
          min={8}
          max={96}
          value={shape.width}
          onValue={(side) => set({ shapes: [{ ...shape, width: side, height: side }] })}
        />
        <Slider
          label="channels"
          min={1}
          max={3}
          value={shape.channels}
          onValue={(channels) => set({ shapes: [{ ...shape, channels }] })}
        />
        <Slider
          label="batch"
          min={4}
          max={8192}
          doubling
          value={knobs.batch}
          onValue={(batch) => set({ batch })}
        />
        <Slider label="β" min={1} max={64} doubling value={knobs.betas} onValue={(betas) => set({ betas })} />
        <Slider
          label="sub-boxes"
          min={4}
          max={1024}
          doubling
          value={knobs.boxes}
          onValue={(boxes) => set({ boxes })}
        />
        <Slider
          label="ms a case"
          min={50}
          max={3200}
          value={settings.budgetMs}
          onValue={(budgetMs) => onSettings({ ...settings, budgetMs })}
        />
        <label>
          <input
            type="checkbox"
            checked={settings.ortWebgpu}
            onChange={(event) => onSettings({ ...settings, ortWebgpu: event.currentTarget.checked })}
          />{' '}
          classifier on webgpu too
        </label>
      </div>
      {session.live.length > 0 && <Live session={session} onSelected={onSelected} />}
      <div class="row">
        {session.loaded.length > 0 && (
          <label>
            showing{' '}
            <select
              aria-label="showing"
              value={session.current}
              onChange={(event) => session.choose(Number(event.currentTarget.value))}
            >
              {session.loaded.map(({ name: title }, i) => (
                <option key={`${i} ${title}`} value={i}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="file">
          import JSON{' '}
          <input
            type="file"
            accept=".json,application/json"
            multiple
            onChange={(event) => {
              const { files } = event.currentTarget;
              if (files) void session.importFiles(files);
            }}
          />
        </label>
        {result && (
          <>
            <button
              type="button"
              onClick={() => download(`bench-${name()}.json`, `${JSON.stringify(result, null, 1)}\n`)}
            >
              export JSON
            </button>
            <button type="button" onClick={() => download(`bench-${name()}.csv`, toCsv(result))}>
              export CSV
            </button>
            <button
              type="button"
              onClick={() => download(`bench-${name()}.perfetto.json`, toChromeTrace(result))}
            >
              export trace (Perfetto)
            </button>
          </>
        )}
      </div>
    </section>
  );
}

function Live({ session, onSelected }: { session: Session; onSelected: (base: string) => void }) {
  const fastest = Math.max(...session.live.map(({ measurement }) => measurement.perSecond));
  return (
    <div class="scroll">
      <table class="live">
        <caption>Single runs, newest first</caption>
        <thead>
          <tr>
            <th>case</th>
            <th>batch · β · sub-boxes</th>
            <th class="number">median</th>
            <th class="number">work a second</th>
            <th aria-label="bar" />
          </tr>
        </thead>
        <tbody>
          {session.live.map(({ measurement: m, knobs }, i) => (
            <tr key={session.live.length - i}>
              <td>
                <button type="button" class="link" onClick={() => onSelected(m.name)}>
                  {m.name}
                </button>
              </td>
              <td>
                {knobs.batch} · {knobs.betas} · {knobs.boxes}
              </td>
              <td class="number">{duration(clockOf(m).median)}</td>
              <td class="number">
                {short(m.perSecond)} {m.unit}
              </td>
              <td class="bar">
                <span style={{ width: `${(100 * m.perSecond) / fastest}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
