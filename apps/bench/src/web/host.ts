/**
 * What the browser knows and gets: the device, the sources' commit, the model, onnxruntime's wasm.
 */
import { inspectModelBytes } from '@turnproof/certify/classifier';
import { type Gpu, openDevice } from '@turnproof/core';
import { deviceFacts } from '../suite/device-facts.ts';
import type { Circumstances } from '../suite/result.ts';
import type { Assets } from '../suite/run-cases.ts';

/** Tells onnxruntime where its wasm is; only now, because it is large and not every run needs it. */
async function placeOrt(): Promise<void> {
  const entries = await Promise.all([import('onnxruntime-web/wasm'), import('onnxruntime-web/webgpu')]);
  for (const { env } of entries) env.wasm.wasmPaths = new URL('ort/', document.baseURI).href;
}

export const openGpu = (): Promise<Gpu> => openDevice();

/** Such as «Chrome 156.0.0.0». */
function browserName(): string {
  const found = /(Firefox|Edg|Chrome|Version)\/([\d.]+)/.exec(navigator.userAgent);
  return found ? `${found[1]} ${found[2]}` : navigator.userAgent;
}

export async function circumstances(gpu: Gpu): Promise<Circumstances> {
  const response = await fetch('sources.json').catch(() => undefined);
  const sources = response?.ok
    ? ((await response.json()) as Pick<Circumstances, 'commit' | 'modified' | 'platform'>)
    : { commit: null, modified: false, platform: navigator.platform };
  return { ...deviceFacts(gpu), ...sources, runtime: browserName(), date: new Date().toISOString() };
}

export function assets(providers: Assets['providers']): Assets {
  // Threads need a page that is isolated from others.
  const threads = crossOriginIsolated ? {} : { threads: 1 };
  return {
    providers,
    ...threads,
    model: async () => {
      await placeOrt();
      const response = await fetch('models/signs_rot.onnx');
      const bytes = new Uint8Array(await response.arrayBuffer());
      return inspectModelBytes('signs_rot.onnx', bytes, threads);
    },
  };
}

/** Offers a text as a file. */
export function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = `data:application/octet-stream;charset=utf-8,${encodeURIComponent(text)}`;
  link.download = name;
  link.click();
}
