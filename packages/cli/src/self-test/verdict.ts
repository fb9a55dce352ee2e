/**
 * No certificate from an adapter whose kernels were never tested: the self-test runs before the first one, and what it found
 * is kept for as long as adapter, driver, shaders and program stay what they are. Only a pass is kept.
 */
import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { currentVersions } from '@turnproof/certify/certificate';
import { type AdapterDescription, type Gpu, TurnproofError } from '@turnproof/core';
import { dropCached, readCached, writeCached } from '@turnproof/core/cache';
import { wgslSha256 } from '@turnproof/shaders';
import type { Console } from '../console.ts';
import { checkKernels, type KernelCheck } from './kernels.ts';

/** All that decides what a kernel computes. */
interface Tested {
  readonly adapter: AdapterDescription;
  readonly shaders: string;
  readonly versions: ReturnType<typeof currentVersions>;
  readonly platform: string;
  /** A software adapter computes on it, with code made for it. */
  readonly processor: string;
}

function testedOn({ adapter }: Gpu): Tested {
  return {
    adapter,
    shaders: wgslSha256,
    versions: currentVersions(),
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? '',
  };
}

/** The file in the cache that holds the verdict. */
export function verdictFile(gpu: Gpu): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(testedOn(gpu)))
    .digest('hex');
  return `kernels-${digest.slice(0, 16)}.json`;
}

/** Runs the self-test, and keeps that it passed, or forgets that it ever did. */
export async function testKernels(gpu: Gpu): Promise<KernelCheck[]> {
  const checks = await checkKernels(gpu);
  const file = verdictFile(gpu);
  if (checks.every(({ passed }) => passed)) {
    writeCached(file, `${JSON.stringify({ passed: true, tested: testedOn(gpu) })}\n`);
  } else {
    dropCached(file);
  }
  return checks;
}

/**
 * The self-test, once for each adapter; later it costs a look into the cache.
 *
 * @throws TurnproofError `parity` naming the kernels that compute wrongly
 */
export async function requireKernels(gpu: Gpu, console: Console): Promise<void> {
  if (hasPassed(gpu)) {
    console.detail('the kernels were tested on this adapter before');
    return;
  }
  console.note('checking the kernels on this adapter, once');
  const failed = (await testKernels(gpu)).filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  const names = failed.map(({ name }) => `«${name}»`).join(', ');
  throw new TurnproofError(
    'parity',
    `self-test on ${gpu.adapter.name}: wrong results from ${names}; nothing may be certified there`,
    {
      fix: 'take another adapter (--adapter) or another driver; `turnproof doctor` shows how far off each kernel is',
    },
  );
}

/** A file that is damaged, or of something else, is none. */
function hasPassed(gpu: Gpu): boolean {
  const text = readCached(verdictFile(gpu));
  if (text === null) return false;
  try {
    return isDeepStrictEqual(JSON.parse(text), { passed: true, tested: testedOn(gpu) });
  } catch {
    return false;
  }
}
