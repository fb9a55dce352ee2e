/** The report that ends a run. The certificates are on disk by then: whatever goes wrong here must not cost them. */
import type { Console } from '../console.ts';
import { loadPlotting } from './draw-plot.ts';
import { readRun } from './read-run.ts';
import { writeReport } from './write-report.ts';

/** Done while there is other work, this does not hold up the end. */
export function prepareReport(): void {
  // What goes wrong here goes wrong again when the report is written, and is told then.
  loadPlotting().catch(() => undefined);
}

export async function reportOnRun(path: string, console: Console): Promise<void> {
  try {
    const { page } = await writeReport([await readRun(path)], { out: path });
    console.note(`report: ${page}`);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    console.warn(`the certificates are written, but no report: ${words}`);
    console.warn(`try again with: turnproof report ${path}`);
  }
}
