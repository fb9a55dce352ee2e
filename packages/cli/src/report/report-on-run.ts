/** The report that ends a run. The certificates are on disk by then: whatever goes wrong here must not cost them. */
import type { Console } from '../console.ts';
import { readRun } from './read-run.ts';
import { writeReport } from './write-report.ts';

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
