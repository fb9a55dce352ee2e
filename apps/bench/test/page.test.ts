import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeAssets } from '../src/assets.ts';
import { serve } from '../src/serve.ts';
import { clockOf } from '../src/suite/compare.ts';
import { kernelCases } from '../src/suite/kernel-cases.ts';
import { exampleResult, slowedBy } from '../src/suite/result.test-support.ts';
import { parseResult } from '../src/suite/result.ts';
import { suiteCases } from '../src/suite/suite.ts';
import { findChromium, launch, openPage } from './chromium.test-support.ts';

const executable = findChromium();
if (executable === null) {
  console.warn('skipped: the page in a browser (no Chromium here; name one in TURNPROOF_CHROMIUM)');
}

/** Few small images, a moment for each case: SwiftShader on two cores. */
const SMALL = '?size=8&batch=4&boxes=4&betas=2&budget=1';
const KNOBS = { shapes: [{ channels: 1, height: 8, width: 8 }], batch: 4, boxes: 4, betas: 2 };

describe.skipIf(executable === null)('the page in Chromium on SwiftShader', () => {
  let folder: string;
  let server: Server;
  let url: string;
  let browser: Browser;
  let page: Page;
  /** What the page complained of, and whom it asked beside its own server. */
  const faults: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'turnproof-page-'));
    const outDir = join(folder, 'web');
    await build({ root: join(import.meta.dirname, '..'), logLevel: 'error', build: { outDir } });
    ({ server, url } = await serve(outDir, 0));
    browser = await launch(executable ?? '');
    page = await openPage(browser, { viewport: { width: 1160, height: 900 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) faults.push(request.url());
    });
    await page.goto(`${url}${SMALL}`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (view: string) => {
    const link = page.getByRole('navigation').getByRole('link', { name: view });
    await link.click();
    await link.and(page.locator('[aria-current]')).waitFor();
  };
  async function exported(button: string): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: button }).click(),
    ]);
    return readFileSync(await download.path(), 'utf8');
  }

  it('runs all cases, with finite and positive numbers, and says that the adapter is software', async () => {
    await page.getByRole('button', { name: 'Run all cases' }).click();
    await page.getByRole('button', { name: 'export JSON' }).waitFor();
    const result = parseResult('the export', await exported('export JSON'));
    const gpu = { adapter: { kind: 'software' } } as Parameters<typeof suiteCases>[0];
    const cases = suiteCases(gpu, { knobs: KNOBS, assets: nodeAssets(['wasm']) });
    expect(result.measurements.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const m of result.measurements) {
      for (const value of [m.perSecond, clockOf(m).min, m.wallMs.min]) {
        expect(value, m.name).toBeGreaterThan(0);
        expect(Number.isFinite(value), m.name).toBe(true);
      }
    }
    expect(result.circumstances.adapterKind).toBe('software');
    expect(result.circumstances.adapter).toMatch(/swiftshader/i);
    expect(result.timelines[0]?.shares.ort).toBeGreaterThan(0);
    expect(await page.getByText('software adapter', { exact: true }).count()).toBe(1);
  });

  it('exports a table and a trace that hold every case and every event', async () => {
    const csv = (await exported('export CSV')).trimEnd().split('\n');
    const rows = await page.locator('table.cases tbody tr').count();
    expect(csv.length).toBe(1 + rows);
    const trace: { traceEvents: { ph: string; cat?: string }[] } = JSON.parse(
      await exported('export trace (Perfetto)'),
    );
    const lanes = new Set(trace.traceEvents.filter(({ ph }) => ph === 'X').map(({ cat }) => cat));
    expect(lanes).toEqual(new Set(['submit', 'gpu', 'ort']));
  });

  it('draws every kernel beside the measured roofs, and three lanes', async () => {
    await open('Roofline');
    expect(await page.locator('svg circle').count()).toBe(kernelCases(KNOBS).length);
    await open('Timeline');
    for (const lane of ['submit', 'gpu', 'ort']) {
      expect(await page.locator(`svg rect.${lane}`).count(), lane).toBeGreaterThan(0);
    }
  });

  it('runs the chosen case again when a slider moves by keyboard, and shows the WGSL beside its numbers', async () => {
    await open('Source');
    await page.getByRole('combobox', { name: 'kernel' }).selectOption('warp');
    expect(await page.locator('pre').textContent()).toContain('fn warp(');
    await page.getByRole('checkbox', { name: 'run it again' }).check();
    const rows = page.locator('table.live tbody tr');
    await rows.first().waitFor();
    await page.getByRole('status').filter({ hasText: 'ready' }).waitFor();
    await page.getByRole('slider', { name: 'image size' }).focus();
    await page.keyboard.press('ArrowRight');
    await rows.nth(1).waitFor();
    expect(await rows.first().textContent()).toContain('warp 9x9x1');
    await page.getByRole('checkbox', { name: 'run it again' }).uncheck();
  });

  it('measures a scaling curve', async () => {
    await page.getByRole('status').filter({ hasText: 'ready' }).waitFor();
    await open('Scaling');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.locator('svg circle').nth(4).waitFor();
  });

  it('shows the difference that was planted between two files, and only that', async () => {
    const before = join(folder, 'before.json');
    const after = join(folder, 'after.json');
    writeFileSync(before, JSON.stringify(exampleResult()));
    writeFileSync(after, JSON.stringify(slowedBy(exampleResult(), 'chord_error 28x28x1', 2)));
    await page.locator('input[type=file]').setInputFiles([before, after]);
    await open('Comparison');
    await page.getByRole('combobox', { name: 'before', exact: true }).selectOption('1');
    await page.getByRole('combobox', { name: 'after', exact: true }).selectOption('2');
    expect(await page.locator('tr.slower').allTextContents()).toEqual([
      expect.stringMatching(/^chord_error 28x28x1.*× 2\.00.*slower$/),
    ]);
    expect(await page.locator('tr.same').count()).toBe(3);
  });

  it('refuses a file of another form with a word of where, and keeps what it has', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"format": "turnproof-bench/1"}');
    await page.locator('input[type=file]').setInputFiles(bad);
    expect(await page.getByRole('alert').textContent()).toContain(
      'bad.json is no result of the bench at circumstances',
    );
    expect(await page.locator('tr.slower').count()).toBe(1);
    await page.getByRole('button', { name: 'close' }).click();
  });

  it('is a picture in light and dark, and fits a narrow screen', async () => {
    const pictures: Buffer[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      pictures.push(await page.screenshot());
    }
    expect(pictures.every(({ length }) => length > 10_000)).toBe(true);
    expect(pictures[0]?.equals(pictures[1] ?? Buffer.alloc(0))).toBe(false);
    await page.setViewportSize({ width: 400, height: 800 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  });

  it('had no error, and asked nobody but its own server', () => {
    expect(faults).toEqual([]);
  });
});
