import { clockOf } from '../suite/compare.ts';
import type { Measurement, Result } from '../suite/result.ts';
import { baseName, duration, percent, short } from './format.ts';
import type { Session } from './session.ts';

const GROUPS = [
  ['kernel', 'Kernels', 'one dispatch each, by the GPU’s clock'],
  ['pipeline', 'Pipelines', 'wall time of what people run, and where it went'],
  ['baseline', 'For scale', 'the same mathematics in float64 TypeScript on one thread'],
  ['roof', 'Roofs', 'what this adapter can do at most: copying, and multiply-adds'],
] as const;

export function Empty({ what }: { what: string }) {
  return (
    <p class="empty">
      Nothing measured yet. Press <strong>Run all cases</strong>, or import a JSON that{' '}
      <code>npm run bench</code> wrote, to see {what}.
    </p>
  );
}

export function Overview({
  session,
  selected,
  onSelect,
}: {
  session: Session;
  selected: string;
  onSelect: (base: string) => void;
}) {
  const { result } = session;
  if (!result) return <Empty what="times, rates and doubts of every case" />;
  return (
    <>
      {GROUPS.map(([kind, title, about]) => (
        <Group key={kind} {...{ kind, title, about, result, selected, onSelect }} />
      ))}
      {result.outside.length > 0 && (
        <table>
          <caption>
            Measured elsewhere <small>as the file says; not by this bench</small>
          </caption>
          <tbody>
            {result.outside.map(({ name, command, figure }) => (
              <tr key={name}>
                <th>{name}</th>
                <td>
                  <code>{command}</code>
                </td>
                <td>{figure}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Group({
  kind,
  title,
  about,
  result,
  selected,
  onSelect,
}: {
  kind: Measurement['kind'];
  title: string;
  about: string;
  result: Result;
  selected: string;
  onSelect: (base: string) => void;
}) {
  const rows = result.measurements.filter((m) => m.kind === kind);
  if (rows.length === 0) return null;
  const slowest = Math.max(...rows.map((m) => clockOf(m).median));
  const isKernel = kind === 'kernel';
  return (
    <table class="cases">
      <caption>
        {title} <small>{about}</small>
      </caption>
      <thead>
        <tr>
          <th>case</th>
          <th class="bar">median time</th>
          <th class="number">min – p95</th>
          <th class="number" title="distance of the quartiles, as a share of the median">
            spread
          </th>
          <th class="number">a second</th>
          {isKernel && (
            <>
              <th class="number" title="declared bytes; the second figure: of the measured copy rate">
                GB/s
              </th>
              <th
                class="number"
                title="declared operations; the second figure: of the measured multiply-add rate"
              >
                Gop/s
              </th>
            </>
          )}
          {kind === 'pipeline' && <th>where the time went</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((m) => (
          <Row key={m.name} {...{ m, result, slowest, onSelect }} chosen={baseName(m.name) === selected} />
        ))}
      </tbody>
    </table>
  );
}

function Row({
  m,
  result,
  slowest,
  chosen,
  onSelect,
}: {
  m: Measurement;
  result: Result;
  slowest: number;
  chosen: boolean;
  onSelect: (base: string) => void;
}) {
  const { min, median, p95, spread } = clockOf(m);
  const { roofs } = result;
  return (
    <tr class={chosen ? 'chosen' : ''}>
      <th>
        {m.kind === 'kernel' ? (
          <button type="button" class="link" onClick={() => onSelect(baseName(m.name))}>
            {m.name}
          </button>
        ) : (
          m.name
        )}
        {m.clock === 'cpu' && m.kind === 'kernel' && <span class="badge">wall</span>}
        {m.warnings.map((warning) => (
          <small class="doubt" key={warning}>
            {warning}
          </small>
        ))}
      </th>
      <td class="bar">
        <span style={{ width: `${(100 * median) / slowest}%` }} />
        {duration(median)}
      </td>
      <td class="number">
        {duration(min)} – {duration(p95)}
      </td>
      <td class="number">{percent(spread)}</td>
      <td class="number">
        {short(m.perSecond)} {m.unit}
      </td>
      {m.kind === 'kernel' && (
        <>
          <Rate value={m.gigabytesPerSecond} roof={roofs.gigabytesPerSecond} />
          <Rate value={m.gigaopsPerSecond} roof={roofs.gigaopsPerSecond} />
        </>
      )}
      {m.kind === 'pipeline' && (
        <td>
          <ShareBar m={m} />
        </td>
      )}
    </tr>
  );
}

function Rate({ value, roof }: { value: number | null; roof: number }) {
  if (value === null) return <td />;
  return (
    <td class="number">
      {short(value, 2)} <small>{percent(value / roof)}</small>
    </td>
  );
}

export function ShareBar({ m }: { m: Pick<Measurement, 'shares'> }) {
  if (!m.shares) return null;
  const { kernels, ort, rest } = m.shares;
  const overlap = Math.max(0, kernels + ort + rest - 1);
  const parts = [
    ['gpu', kernels, `kernels ${percent(kernels)}`],
    [
      'ort',
      ort - overlap,
      `onnxruntime ${percent(ort)}${overlap > 0.01 ? ` (${percent(overlap)} at the same time)` : ''}`,
    ],
    ['rest', rest, `neither ${percent(rest)}`],
  ] as const;
  return (
    <div class="shares" title={parts.map(([, , text]) => text).join(', ')}>
      <div class="stack">
        {parts.map(([name, share]) => (
          <span key={name} class={name} style={{ width: `${100 * Math.max(0, share)}%` }} />
        ))}
      </div>
      <small>
        {parts
          .filter(([, share]) => share > 0)
          .map(([name, , text]) => (
            <span key={name} class="key">
              <i class={name} />
              {text}
            </span>
          ))}
      </small>
    </div>
  );
}
