/** A headless Chromium of this machine with WebGPU on SwiftShader. Not for downloading one: none, no browser tests. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
] as const;

/** TURNPROOF_CHROMIUM, else a usual place; null where there is none. */
export function findChromium(): string | null {
  const named = process.env.TURNPROOF_CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Error(`TURNPROOF_CHROMIUM names ${named}, which is not there`);
    return named;
  }
  return USUAL.find((path) => existsSync(path)) ?? null;
}

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    timeout: 0,
  });
}

/** A page that waits for what it is asked for as long as that takes. */
export async function openPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(0);
  return page;
}
