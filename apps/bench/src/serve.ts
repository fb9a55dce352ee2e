/**
 * `npm run bench:web`: hands out the built page, onnxruntime's wasm and the model, on this machine only. No other
 * address is ever asked: the page's policy forbids it.
 */
import { existsSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { badInput, EXIT_CODES, TurnproofError } from '@turnproof/core';
import sirv from 'sirv';
import { signsModel } from './assets.ts';
import { sourcesOf } from './circumstances.ts';

const HOST = '127.0.0.1';
const DEFAULT_PORT = 8731;

const HEADERS = {
  // Without these two a page gets no threads.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:",
  'Cache-Control': 'no-store',
} as const;

/** The checkout's or bundle's root: two folders above `src` or `dist`. */
const root = join(import.meta.dirname, '..', '..', '..');

/**
 * @param web - The folder of the built page.
 * @param port - 0: any free one.
 * @throws TurnproofError `bad-input`: no page there, or the port is taken
 */
export async function serve(web: string, port: number): Promise<{ server: Server; url: string }> {
  if (!existsSync(join(web, 'index.html')))
    throw badInput(`${web} holds no built page`, 'run npm run build first');
  const files = (folder: string) => sirv(folder, { dev: true });
  const page = files(web);
  const ort = files(dirname(fileURLToPath(import.meta.resolve('onnxruntime-web'))));
  const models = files(dirname(signsModel()));
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const missing = () => {
      response.statusCode = 404;
      response.end('not found\n');
    };
    const [path = '/'] = (request.url ?? '/').split('?');
    const under = (prefix: string, serveFiles: ReturnType<typeof files>) => {
      request.url = path.slice(prefix.length - 1);
      serveFiles(request, response, missing);
    };
    if (path === '/sources.json') {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ ...sourcesOf(root), platform: `${process.platform}-${process.arch}` }));
    } else if (path.startsWith('/ort/')) under('/ort/', ort);
    else if (path.startsWith('/models/')) under('/models/', models);
    else page(request, response, missing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(badInput(`port ${port}: ${error.message}`, 'choose another one with --port')),
    );
    server.listen(port, HOST, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return { server, url: `http://${HOST}:${bound}/` };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string', default: String(DEFAULT_PORT) } } });
  const port = Number(values.port);
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536))
    throw badInput(`--port ${values.port}: no port`);
  const { url } = await serve(join(import.meta.dirname, 'web'), port);
  process.stdout.write(`${url}\nOpen it in a browser that has WebGPU. End with Ctrl-C.\n`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof TurnproofError)) throw error;
    process.stderr.write(`${error.message}\n${error.fix ?? ''}\n`);
    process.exitCode = EXIT_CODES[error.code];
  }
}
