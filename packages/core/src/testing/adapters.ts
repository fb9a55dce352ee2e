/**
 * Which adapters a test runs on: all that this machine has, or those that TURNPROOF_TEST_ADAPTERS names
 * (comma-separated: swiftshader, lavapipe, hardware).
 */
import { type Gpu, openDevice } from '../device.ts';
import { TurnproofError } from '../errors.ts';

const KNOWN = ['swiftshader', 'lavapipe', 'hardware'] as const;

async function isThere(name: string): Promise<boolean> {
  try {
    (await openDevice({ adapter: name })).close();
    return true;
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'no-adapter') return false;
    throw error;
  }
}

/**
 * Names for {@link openDevice}, at least one. SwiftShader comes with the package and must be there on Linux x86-64.
 *
 * @throws Error when an adapter asked for by name is missing, or none is there.
 */
export async function testAdapters(): Promise<string[]> {
  const asked = process.env.TURNPROOF_TEST_ADAPTERS;
  const names = asked ? asked.split(',').map((name) => name.trim()) : [...KNOWN];
  const there: string[] = [];
  for (const name of names) if (await isThere(name)) there.push(name);
  if (there.length === 0) throw new Error(`none of these adapters opens here: ${names.join(', ')}`);
  if (asked && there.length < names.length)
    throw new Error(`asked for ${names.join(', ')}, found ${there.join(', ')}`);
  return there;
}

/** Closes the device and fails the test file when the GPU complained of anything meanwhile. */
export function closeChecked(gpu: Gpu): void {
  try {
    gpu.check();
  } finally {
    gpu.close();
  }
}
