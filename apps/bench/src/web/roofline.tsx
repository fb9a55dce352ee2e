import type { Measurement } from '../suite/result.ts';
import { percent, short } from './format.ts';
import { Empty } from './overview.tsx';
import { atX, atY, axisOver, Plot } from './plot.tsx';
import type { Session } from './session.ts';

interface Point {
  readonly m: Measurement;
  readonly intensity: number;
  readonly rate: number;
  /** The roof above this intensity. */
  readonly roof: number;
}

export function Roofline({ session: { result } }: { session: Session }) {
  if (!result) return <Empty what="how near each kernel comes to what this adapter can do" />;
  const { gigabytesPerSecond: bandwidth, gigaopsPerSecond: peak } = result.roofs;
  const points = result.measurements.flatMap((m): Point[] => {
    if (m.kind !== 'kernel' || !m.bytes || !m.operations || m.gigaopsPerSecond === null) return [];
    const intensity = m.operations / m.bytes;
    return [{ m, intensity, rate: m.gigaopsPerSecond, roof: Math.min(peak, intensity * bandwidth) }];
  });
  const ridge = peak / bandwidth;
  const number = (value: number) => short(value, 2);
  const x = axisOver(
    [...points.map((p) => p.intensity), ridge],
    'operations for each byte that must move',
    number,
  );
  const y = axisOver(
    [...points.map((p) => p.rate), peak],
    'Gop/s (thousand million operations a second)',
    number,
  );
  const roofAt = (intensity: number) => atY(y, Math.max(y.from, Math.min(peak, intensity * bandwidth)));
  const start = Math.max(x.from, y.from / bandwidth);
  return (
    <section>
      <h2>Roofline</h2>
      <p>
        Kernels lie below the line (or on it, where caches help): on its slope the memory is the limit (
        {short(bandwidth)} GB/s when this adapter copies), on its flat part the arithmetic ({short(peak)}{' '}
        Gop/s of multiply-adds). The further below, the more there may be to gain. Operations are those of the
        formulas: addresses, loads and branches are not counted.
      </p>
      <Plot x={x} y={y} title="Roofline">
        <path
          class="roof"
          d={`M ${atX(x, start)} ${roofAt(start)} L ${atX(x, ridge)} ${roofAt(ridge)} L ${atX(x, x.to)} ${roofAt(x.to)}`}
        />
        {points.map(({ m, intensity, rate }, i) => (
          <g key={m.name}>
            <circle class="point" cx={atX(x, intensity)} cy={atY(y, rate)} r="11">
              <title>{m.name}</title>
            </circle>
            <text class="mark" x={atX(x, intensity)} y={atY(y, rate) + 4} text-anchor="middle">
              {i + 1}
            </text>
          </g>
        ))}
      </Plot>
      <table>
        <caption>The kernels, by their distance from the roof</caption>
        <thead>
          <tr>
            <th class="number">mark</th>
            <th>kernel</th>
            <th class="number">operations a byte</th>
            <th class="number">Gop/s</th>
            <th class="number">roof there</th>
            <th class="number">of the roof</th>
            <th>limit there</th>
          </tr>
        </thead>
        <tbody>
          {points
            .map((point, i) => ({ ...point, mark: i + 1 }))
            .sort((a, b) => a.rate / a.roof - b.rate / b.roof)
            .map(({ m, intensity, rate, roof, mark }) => (
              <tr key={m.name}>
                <td class="number">{mark}</td>
                <th>{m.name}</th>
                <td class="number">{short(intensity)}</td>
                <td class="number">{short(rate)}</td>
                <td class="number">{short(roof)}</td>
                <td class="number">{percent(rate / roof)}</td>
                <td>{intensity < ridge ? 'memory' : 'arithmetic'}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}
