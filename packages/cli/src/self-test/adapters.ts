/** Which adapters this machine has, each opened on its own. */
import { openDevice } from '@turnproof/core';

export const ADAPTER_CHOICES = ['hardware', 'lavapipe', 'swiftshader'] as const;

export interface FoundAdapter {
  readonly choice: string;
  /** Null where there is none of this kind. */
  readonly name: string | null;
  readonly kind: 'hardware' | 'software' | null;
  /** The driver that does the arithmetic. */
  readonly driver: string | null;
  /** Why there is none. */
  readonly failure: string | null;
}

export async function findAdapters(): Promise<FoundAdapter[]> {
  const found: FoundAdapter[] = [];
  for (const choice of ADAPTER_CHOICES) {
    try {
      const gpu = await openDevice({ adapter: choice });
      const { name, kind, adapterClass } = gpu.adapter;
      gpu.close();
      // Asked for by name, and something else opened: this machine does not have it.
      if (choice !== 'hardware' && adapterClass !== choice) throw new Error(`${name} opens in its place`);
      found.push({ choice, name, kind, driver: adapterClass, failure: null });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      found.push({ choice, name: null, kind: null, driver: null, failure });
    }
  }
  return found;
}
