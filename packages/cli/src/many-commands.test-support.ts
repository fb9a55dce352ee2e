/**
 * Run as a process of its own: command lines from stdin, one after the other, each as the program would take it. A JSON
 * line in, a list of arguments; a JSON line out, what was said and the exit status. Test support only.
 */
import { createInterface } from 'node:readline';
import { main } from './main.ts';

const answer = process.stdout.write.bind(process.stdout);
const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (text: string | Uint8Array, ...rest: unknown[]): boolean => {
    said[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const done = rest.find((one) => typeof one === 'function');
    done?.();
    return true;
  };
}
// Each main listens for the same few events.
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);

for await (const line of createInterface({ input: process.stdin })) {
  const code = await main(JSON.parse(line));
  answer(`${JSON.stringify({ ...said, code })}\n`);
  said.stdout = '';
  said.stderr = '';
}
process.exit(0);
