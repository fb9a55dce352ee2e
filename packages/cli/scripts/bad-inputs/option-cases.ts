/** Options, configurations, run folders, disks. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Case, certifyWith } from './case.ts';

/** Billions of words in a few lines. */
const LAUGHS = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name, i) => {
    const before = 'abcdefgh'[i];
    return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`;
  }),
].join('\n');

export async function optionCases(inputs: string): Promise<Case[]> {
  const write = async (name: string, text: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(inputs, name)), { recursive: true });
    await writeFile(join(inputs, name), text);
  };
  await write('laughs.yaml', LAUGHS);
  await write('open.yaml', 'transform: [rotation\n');
  await write('binary.yaml', Buffer.from([0, 1, 2, 255, 254]));
  await write('deep.yaml', `${'['.repeat(20_000)}`);
  await write('list.yaml', '- a\n- b\n');
  await write('proto.yaml', '__proto__: x\n');
  await write('twice.yaml', 'range: 3\nrange: 4\n');
  await write('run-empty/certificates.jsonl', '');
  await write('run-cut/certificates.jsonl', '{"schema":"turnproof/certificate/1","index":0');
  await write('run-binary/certificates.jsonl', Buffer.from([0, 255, 254, 10, 0]));
  await write('run-deep/certificates.jsonl', `${'['.repeat(100_000)}\n`);
  await write('run-null/certificates.jsonl', 'null\n');
  await write('run-config/certificates.jsonl', '{}\n');
  await write('run-config/config.json', '{');
  await write('other-run/certificates.jsonl', '{}\n');
  await write('notes/todo.txt', 'mine\n');
  await write('experiment-bad.yaml', 'runs: 3\n');
  await mkdir(join(inputs, 'read-only'));
  await chmod(join(inputs, 'read-only'), 0o555);
  const option = (what: string, changes: Record<string, string | null>, more: Partial<Case> = {}): Case => ({
    what: `options: ${what}`,
    args: certifyWith(inputs, changes),
    ...more,
  });
  const at = (name: string) => join(inputs, name);
  const command = (what: string, args: readonly string[], codes = [2]): Case => ({ what, args, codes });
  const inTmpfs = (size: string) =>
    `mkdir disk && mount -t tmpfs -o size=${size} none disk && "$@"; s=$?; ls disk/run >&2; umount disk; rmdir disk; exit $s`;
  return [
    option('a range of 0', { range: '0' }),
    option('a range of nonsense', { range: 'wide' }),
    option('a range of 1e999', { range: '1e999' }),
    option('NaN as noise', { 'sigma-eps': 'NaN' }),
    option('noise below 0', { 'sigma-eps': '-1' }),
    option('a confidence of 1', { confidence: '1' }),
    option('a method that is none', { method: 'swep' }),
    option('an adapter that is none', { adapter: 'nosuch' }, { codes: [2, 42] }),
    option('a provider that is none', { provider: 'cuda' }),
    option('a seed beyond 64 bits', { seed: '18446744073709551616' }),
    option('no threads', { threads: '0' }),
    option('an index and a limit', { index: '1' }),
    option('a range of indices backwards', { index: '3-1', limit: null }),
    option('an index of 10^30', { index: '1000000000000000000000000000000', limit: null }),
    option('two means for one channel', { mean: '0.1,0.2' }),
    option('a mean that is no number', { mean: '0.1,,0.2' }),
    option('a deviation of 0', { std: '0' }),
    option('a layout that is none', { layout: 'chwn' }),
    option('a crop of MNIST', { fit: 'crop:3' }),
    option('a resizing', { data: `folder:${inputs}/dir-sizes`, fit: 'resize:28' }),
    option('an even blur', { blur: '4:1' }),
    option('a blur of 10^9', { blur: '1000000001:1' }),
    option('a vignette that leaves nothing', { vignette: 'circle:99' }),
    option('10^15 samples', { 'n-eps': '1000000000000000' }),
    command(
      'options: a batch of 10^15',
      [...certifyWith(inputs, { batch: '1000000000000000' }), '--dry-run'],
      [0, 2],
    ),
    command('options: an unknown one', ['certify', '--dta', 'signs']),
    command('options: an unknown command', ['certifyy']),
    command('options: none at all', []),
    option('a configuration that is missing', { config: at('nowhere.yaml') }),
    option('a configuration that is a folder', { config: inputs }),
    option('a configuration, billions of aliases', { config: at('laughs.yaml') }),
    option('a configuration left open', { config: at('open.yaml') }),
    option('a configuration of bytes', { config: at('binary.yaml') }),
    option('a configuration 20,000 deep', { config: at('deep.yaml') }),
    option('a configuration that is a list', { config: at('list.yaml') }),
    option('a configuration with __proto__', { config: at('proto.yaml') }),
    option('a configuration that says a thing twice', { config: at('twice.yaml') }),
    option('a configuration from an endless device', { config: '/dev/zero' }),
    option('a folder that holds another run', { out: at('other-run') }),
    option('a folder that holds something else', { out: at('notes') }),
    option('a file in place of the folder', { out: at('model.onnx') }),
    option('a folder below a file', { out: join(at('model.onnx'), 'run') }),
    option('a read-only folder', { out: join(at('read-only'), 'run') }, { as: 'nobody' }),
    option('a read-only working folder', {}, { as: 'nobody', readOnly: true }),
    option('a name longer than systems have', { out: 'x'.repeat(5000) }),
    command('verify: a missing run', ['verify', at('nowhere')]),
    command('verify: no certificates', ['verify', at('run-empty')]),
    command('verify: a cut line', ['verify', at('run-cut')], [42]),
    command('verify: bytes', ['verify', at('run-binary')], [42]),
    command('verify: JSON 100,000 deep', ['verify', at('run-deep')], [42]),
    command('verify: null', ['verify', at('run-null')], [42]),
    command('verify: an endless device', ['verify', '/dev/zero']),
    command('report: no run', ['report', at('notes')]),
    command('report: a cut line', ['report', at('run-cut'), '--out', 'report']),
    command('report: a configuration cut', ['report', at('run-config'), '--out', 'report']),
    command('experiment: a missing plan', ['experiment', at('nowhere.yaml')]),
    command('experiment: a plan of another kind', ['experiment', at('experiment-bad.yaml')]),
    command('experiment: billions of aliases', ['experiment', at('laughs.yaml')]),
    {
      what: 'disk: full before the run',
      args: certifyWith(inputs, { out: 'disk/run', adapter: 'software', range: '1' }),
      codes: [42],
      needsRoot: true,
      shell: inTmpfs('4k'),
    },
    {
      what: 'disk: full during the run',
      args: certifyWith(inputs, { out: 'disk/run', adapter: 'software', range: '1', limit: '3' }),
      codes: [42],
      needsRoot: true,
      shell: inTmpfs('16k'),
    },
    {
      what: 'disk: stdout full',
      args: ['model', 'inspect', at('model.onnx')],
      codes: [42],
      shell: '"$@" > /dev/full',
    },
    {
      what: 'stdout closed by its reader',
      args: ['model', 'inspect', at('model.onnx')],
      codes: [0],
      shell: '"$@" | true',
    },
  ];
}
