import { clockOf } from '../suite/compare.ts';
import { kernelCases } from '../suite/kernel-cases.ts';
import { DEFAULT_KNOBS } from '../suite/knobs.ts';
import { baseName, duration, short } from './format.ts';
import type { Session } from './session.ts';

const SOURCES = new Map(
  kernelCases({ ...DEFAULT_KNOBS, batch: 1, boxes: 1, betas: 1 }).map(({ kernel }) => [
    kernel.name,
    kernel.source,
  ]),
);

export function KernelChoice({
  selected,
  onSelected,
}: {
  selected: string;
  onSelected: (base: string) => void;
}) {
  return (
    <label>
      kernel{' '}
      <select
        aria-label="kernel"
        value={selected}
        onChange={(event) => onSelected(event.currentTarget.value)}
      >
        {[...SOURCES.keys()].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

export function Source({
  session,
  selected,
  onSelected,
}: {
  session: Session;
  selected: string;
  onSelected: (base: string) => void;
}) {
  const rows = session.result?.measurements.filter((m) => baseName(m.name) === selected) ?? [];
  return (
    <section>
      <h2>Source</h2>
      <div class="row">
        <KernelChoice selected={selected} onSelected={onSelected} />
      </div>
      <div class="beside">
        <dl>
          {rows.map((m) => {
            const { min, median, p95 } = clockOf(m);
            return (
              <div key={m.name}>
                <dt>{m.name}</dt>
                <dd>
                  median <strong>{duration(median)}</strong>
                </dd>
                <dd>
                  {duration(min)} to {duration(p95)}, {m.repeats} repeats
                </dd>
                <dd>
                  {short(m.work)} {m.unit} a dispatch
                </dd>
                <dd>
                  {short(m.perSecond)} {m.unit} a second
                </dd>
                <dd>{m.gigabytesPerSecond === null ? '' : `${short(m.gigabytesPerSecond)} GB/s`}</dd>
                <dd>{m.gigaopsPerSecond === null ? '' : `${short(m.gigaopsPerSecond)} Gop/s`}</dd>
                {m.warnings.map((warning) => (
                  <dd class="doubt" key={warning}>
                    {warning}
                  </dd>
                ))}
              </div>
            );
          })}
          {rows.length === 0 && <dt>not measured yet</dt>}
        </dl>
        <pre>{SOURCES.get(selected) ?? 'no kernel of this name'}</pre>
      </div>
    </section>
  );
}
