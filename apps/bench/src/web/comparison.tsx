import { useState } from 'preact/hooks';
import { clockOf, compare, type Difference, obstacles } from '../suite/compare.ts';
import { duration, percent } from './format.ts';
import type { Session } from './session.ts';

const WORDS: Readonly<Record<Difference['verdict'], string>> = {
  slower: 'slower',
  faster: 'faster',
  same: 'within the scatter',
  'only before': 'only before',
  'only after': 'only after',
};

export function Comparison({ session: { loaded } }: { session: Session }) {
  const [before, setBefore] = useState(0);
  const [after, setAfter] = useState<number>();
  if (loaded.length < 2) {
    return (
      <p class="empty">
        Two results are needed, {loaded.length} {loaded.length === 1 ? 'is' : 'are'} here: run the cases
        twice, or import JSON files that the bench wrote on another machine or commit.
      </p>
    );
  }
  const second = after ?? loaded.length - 1;
  const [a, b] = [loaded[before]?.result, loaded[second]?.result];
  if (!a || !b) return null;
  const rows = compare(a, b);
  const count = (verdict: Difference['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return (
    <section>
      <h2>Comparison</h2>
      <div class="row">
        <Choice label="before" value={before} onValue={setBefore} loaded={loaded} />
        <Choice label="after" value={second} onValue={setAfter} loaded={loaded} />
      </div>
      {obstacles(a, b).map((words) => (
        <p class="error" key={words}>
          {words}
        </p>
      ))}
      <p role="status">
        <strong>{count('slower')} slower</strong>, {count('faster')} faster, {count('same')} within the
        scatter. A difference counts when it exceeds 5 % and both spreads together. Times are for one unit of
        work.
      </p>
      <table class="cases">
        <thead>
          <tr>
            <th>case</th>
            <th class="number">before</th>
            <th class="number">after</th>
            <th class="ratio">time, after / before</th>
            <th class="number">must exceed</th>
            <th>verdict</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Ratios up to this are drawn to scale, to either side. */
const MOST = 4;

function Row({ row: { name, before, after, ratio, margin, verdict } }: { row: Difference }) {
  const side = ratio === null ? 0 : Math.max(-1, Math.min(1, Math.log(ratio) / Math.log(MOST)));
  return (
    <tr class={verdict.replace(' ', '-')}>
      <th>{name}</th>
      <td class="number">{before ? duration(clockOf(before).median) : ''}</td>
      <td class="number">{after ? duration(clockOf(after).median) : ''}</td>
      <td class="ratio">
        {ratio !== null && (
          <>
            <span class="scale">
              <i style={{ left: `${50 + 50 * Math.min(0, side)}%`, width: `${50 * Math.abs(side)}%` }} />
            </span>
            × {ratio.toFixed(2)}
          </>
        )}
      </td>
      <td class="number">{ratio === null ? '' : `± ${percent(margin)}`}</td>
      <td class="verdict">
        {verdict === 'slower' ? '▲ ' : verdict === 'faster' ? '▼ ' : ''}
        {WORDS[verdict]}
      </td>
    </tr>
  );
}

function Choice({
  label,
  value,
  loaded,
  onValue,
}: {
  label: string;
  value: number;
  loaded: Session['loaded'];
  onValue: (value: number) => void;
}) {
  return (
    <label>
      {label}{' '}
      <select
        aria-label={label}
        value={value}
        onChange={(event) => onValue(Number(event.currentTarget.value))}
      >
        {loaded.map(({ name, result }, i) => (
          <option key={`${i} ${name}`} value={i}>
            {name} ({result.circumstances.adapter.slice(0, 28)},{' '}
            {result.circumstances.commit?.slice(0, 9) ?? 'no commit'})
          </option>
        ))}
      </select>
    </label>
  );
}
