import { deviceFacts } from '../suite/device-facts.ts';
import type { Session } from './session.ts';

export function Device({ session: { gpu, result } }: { session: Session }) {
  const facts = result?.circumstances ?? (gpu ? deviceFacts(gpu) : undefined);
  if (!facts) return <p class="empty">No device is open.</p>;
  const rows: readonly (readonly [string, string])[] = [
    ['adapter', facts.adapter],
    ['driver', facts.driver],
    ['kind', facts.adapterKind],
    ['processors of the host', String(facts.cores)],
    ...(result
      ? ([
          ['runtime', result.circumstances.runtime],
          ['platform', result.circumstances.platform],
          [
            'commit',
            `${result.circumstances.commit ?? 'unknown'}${result.circumstances.modified ? ', modified' : ''}`,
          ],
          ['measured', result.circumstances.date],
          [
            'sizes',
            `${result.knobs.shapes.map((s) => `${s.width}x${s.height}x${s.channels}`).join(', ')}; batch ${result.knobs.batch}, β ${result.knobs.betas}, sub-boxes ${result.knobs.boxes}`,
          ],
          ['GPU clock', result.clockStep === null ? 'none' : `steps of ${result.clockStep} ns`],
        ] as const)
      : []),
    ['features', facts.features.join(', ')],
    ...Object.entries(facts.limits).map(([name, value]) => [name, value.toLocaleString('en')] as const),
  ];
  return (
    <table>
      <caption>Device</caption>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th>{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
