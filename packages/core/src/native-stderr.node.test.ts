import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sift } from './native-stderr.node.ts';

const MODULE = fileURLToPath(new URL('native-stderr.node.ts', import.meta.url));
const CORE = fileURLToPath(new URL('index.ts', import.meta.url));

/** Runs a script as a process of its own: its stderr is what a user sees. */
function run(script: string, env: Readonly<Record<string, string>> = {}) {
  const options = ['--conditions=turnproof-source', '--no-warnings', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, options, {
    encoding: 'utf8',
    env: { ...process.env, TURNPROOF_DEBUG: '', ...env },
  });
}

/** Writes past Node's own streams, as a driver does. */
const NATIVE = `
import { writeSync } from 'node:fs';
import { withoutWarnings } from ${JSON.stringify(MODULE)};
const say = (text) => writeSync(2, text);
const work = async () => {
  say('Warning: no such driver\\n    at Check (/build/dawn.cpp:106)\\n\\n');
  await new Promise((resolve) => setImmediate(resolve));
  say('a real error\\n  of two lines\\nWarning: another\\n');
  return 7;
};
`;

describe.runIf(process.platform === 'linux')('what native code writes to stderr', () => {
  it('is held back while the work lasts: warnings are handed out, all else is written', () => {
    const { stdout, stderr } = run(
      `${NATIVE} say('before\\n'); console.log(JSON.stringify(await withoutWarnings(work))); say('after\\n');`,
    );
    expect(stderr).toBe('before\na real error\n  of two lines\nafter\n');
    expect(JSON.parse(stdout)).toEqual({ result: 7, warnings: ['no such driver', 'another'] });
  });
  it('is written as it is where the work fails, and with TURNPROOF_DEBUG', () => {
    const failing = run(
      `${NATIVE} await withoutWarnings(async () => { await work(); throw new Error('lost'); }).catch((e) => say(e.message + '\\n'));`,
    );
    expect(failing.stderr).toMatch(
      /^Warning: no such driver\n.*dawn\.cpp.*\n\na real error\n.*\nWarning: another\nlost\n$/,
    );
    expect(run(`${NATIVE} await withoutWarnings(work);`, { TURNPROOF_DEBUG: '1' }).stderr).toContain(
      'dawn.cpp',
    );
  });
  it('is what failed where there is no driver, in the words of the refusal and nowhere else', () => {
    const script = `import { openDevice } from ${JSON.stringify(CORE)};
      await openDevice({ adapter: 'hardware' }).catch((error) => console.log(error.message));
      process.exit(0);`;
    const { stdout, stderr } = run(script, { VK_DRIVER_FILES: '/nonexistent' });
    expect(stderr).toBe('');
    expect(stdout).toContain('drivers of this machine: Dawn accepts none of them');
  });
});

describe('warnings', () => {
  it.each([
    ['', [], ''],
    ['Warning: a\nWarning: b\n', ['a', 'b'], ''],
    ['Error: Warning: x\n', [], 'Error: Warning: x\n'],
    ['no end', [], 'no end'],
    ['  indented\nWarning: a\n\n  more\nlast', ['a'], '  indented\nlast'],
  ])('are told apart from the rest of %j', (text, warnings, rest) => {
    expect(sift(text)).toEqual({ warnings, rest });
  });
});
