/**
 * Pictures of the page's views in a headless Chromium, to be looked at:
 * `node --conditions=turnproof-source apps/bench/scripts/screenshots.ts FOLDER [RESULT.json RESULT.json]` after a build.
 * The results are imported (the second is what the first is compared with); without them the page measures small ones.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../src/serve.ts';
import { findChromium, launch, openPage } from '../test/chromium.test-support.ts';

const [folder = 'screenshots', ...results] = process.argv.slice(2);
const executable = findChromium();
if (executable === null) throw new Error('no Chromium here; name one in TURNPROOF_CHROMIUM');
mkdirSync(folder, { recursive: true });
const { server, url } = await serve(join(import.meta.dirname, '../dist/web'), 0);
const browser = await launch(executable);
try {
  for (const [look, width, colorScheme] of [
    ['light', 1160, 'light'],
    ['dark', 1160, 'dark'],
    ['narrow', 420, 'light'],
  ] as const) {
    const page = await openPage(browser, { viewport: { width, height: 900 }, colorScheme });
    await page.goto(`${url}?size=12&batch=32&boxes=16&betas=4&budget=100`);
    if (results.length > 0) {
      await page.locator('input[type=file]').setInputFiles(results);
      await page.getByRole('table').first().waitFor();
    } else {
      await page.getByRole('button', { name: 'Run all cases' }).click();
      await page.getByRole('button', { name: 'export CSV' }).waitFor();
    }
    for (const view of ['overview', 'roofline', 'timeline', 'scaling', 'comparison', 'source', 'device']) {
      await page.evaluate(`location.hash = '${view}'`);
      const link = page.getByRole('navigation').locator('a[aria-current]');
      await link.and(page.locator(`[href="#${view}"]`)).waitFor();
      if (view === 'scaling') {
        await page.getByRole('button', { name: 'Measure', exact: true }).click();
        await page.locator('circle.point').nth(4).waitFor();
      }
      await page.screenshot({ path: join(folder, `${view}-${look}.png`), fullPage: view !== 'source' });
    }
    await page.close();
  }
} finally {
  await browser.close();
  server.close();
}
