/**
 * The software driver of last resort: SwiftShader and a Vulkan loader, unpacked once from the npm package
 * `@sparticuz/chromium` into a cache folder. Not for speed: lavapipe, where installed, is about ten times faster.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import { cacheFolders } from './cache.node.ts';
import { makeFolder } from './folders.node.ts';

export interface UnpackedSwiftShader {
  /** The driver's JSON, for VK_DRIVER_FILES. */
  readonly icd: string;
  /** The Vulkan loader that came with it. */
  readonly loader: string;
}

const NEEDED = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'] as const;

function archivePath(): string {
  // The package exports its entry point only; the archive lies beside it in bin/.
  const entry = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  const root = entry.slice(
    0,
    entry.lastIndexOf(join('@sparticuz', 'chromium')) + join('@sparticuz', 'chromium').length,
  );
  return join(root, 'bin', 'swiftshader.tar.br');
}

/** The archive's regular files by base name. */
async function readTar(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const archive = extract();
  archive.end(bytes);
  for await (const entry of archive) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    if (entry.header.type === 'file') files.set(basename(entry.header.name), Buffer.concat(chunks));
  }
  return files;
}

async function unpackInto(root: string, archive: Buffer): Promise<UnpackedSwiftShader> {
  const digest = createHash('sha256').update(archive).digest('hex').slice(0, 16);
  const folder = join(root, `swiftshader-${digest}`);
  const result = { icd: join(folder, 'vk_swiftshader_icd.json'), loader: join(folder, 'libvulkan.so.1') };
  if (NEEDED.every((name) => existsSync(join(folder, name)))) return result;
  makeFolder(root);
  // Two processes may unpack at once: each writes a folder of its own, the first rename wins.
  const draft = await mkdtemp(join(root, 'unpacking-'));
  try {
    const files = await readTar(await promisify(brotliDecompress)(archive));
    for (const name of NEEDED) {
      const bytes = files.get(name);
      if (!bytes) throw new Error(`the packaged SwiftShader archive lacks ${name}`);
      await writeFile(join(draft, name), bytes, { mode: 0o755 });
    }
    await rename(draft, folder).catch((error: unknown) => {
      if (!NEEDED.every((name) => existsSync(join(folder, name)))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return result;
}

let unpacked: Promise<UnpackedSwiftShader> | undefined;

/** Unpacks the driver into the first cache folder that can be written to; later calls and runs reuse it. */
export function unpackSwiftShader(): Promise<UnpackedSwiftShader> {
  unpacked ??= (async () => {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new Error(
        `the packaged SwiftShader is for Linux on x86-64, this is ${process.platform}-${process.arch}`,
      );
    }
    const archive = await readFile(archivePath());
    let last: unknown;
    for (const root of cacheFolders()) {
      try {
        return await unpackInto(root, archive);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  })();
  return unpacked;
}

let loaderChecked: Promise<void> | undefined;

/** Held, lest koffi unload it when its handle is collected. */
const held: { loader?: unknown } = {};

/**
 * Dawn asks the dynamic linker for `libvulkan.so.1`. Where the system has none, loading the packaged one first
 * makes Dawn find it by its soname. (process.dlopen would close it again.)
 */
export function loadPackagedVulkanLoader(): Promise<void> {
  loaderChecked ??= (async () => {
    if (process.platform !== 'linux') return;
    const { default: koffi } = await import('koffi');
    try {
      held.loader = koffi.load('libvulkan.so.1');
    } catch {
      try {
        held.loader = koffi.load((await unpackSwiftShader()).loader);
      } catch {
        // Dawn then finds no adapter, and says so with the list of what was tried.
      }
    }
  })();
  return loaderChecked;
}
