/** From run folders to report.html and report/*.svg. The files are the same for the same runs. */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import { makeFolder } from '@turnproof/core/folders';
import { type AttackedImages, openAttacked } from './attacked-images.ts';
import { type CleanImages, openCleanImages } from './clean-images.ts';
import { type DrawnPlot, drawPlot } from './draw-plot.ts';
import type { TextTable } from './figures.ts';
import { gallery, mostComplete, transformOf } from './gallery.ts';
import { html, type Markup, markup } from './html.ts';
import { pageText } from './page.ts';
import { plotsOf } from './plots.ts';
import type { ReportedRun } from './read-run.ts';
import { comparedImages, comparison, headline, imagesTable, ledger, provenance } from './sections.ts';
import { sweepSection } from './sweep-section.ts';
import { caveatOf } from './words.ts';

export interface ReportOptions {
  /** Where report.html and report/ are written; made where it is not there. */
  readonly out: string;
  readonly title?: string;
  /** Paragraphs below the title. */
  readonly about?: readonly string[];
  /** Instead of the tables that compare several runs: the same with rows of others. */
  readonly tables?: readonly TextTable[];
  /** Folders of attacks on the same images. */
  readonly attacks?: readonly string[];
  /** The data set, where it lies elsewhere than the runs say. */
  readonly data?: string | undefined;
}

export interface WrittenReport {
  /** Path of report.html. */
  readonly page: string;
  /** Paths of the plots. */
  readonly plots: readonly string[];
}

const PAGE = 'report.html';
const PLOTS = 'report';

/**
 * Writes a report on one run, or one that compares several.
 *
 * @throws TurnproofError `bad-input` where `out` cannot be written
 */
export async function writeReport(
  given: readonly ReportedRun[],
  options: ReportOptions,
): Promise<WrittenReport> {
  const runs = withNamesApart(given);
  const plots: DrawnPlot[] = [];
  for (const plot of plotsOf(runs)) plots.push(await drawPlot(plot));
  const text = await reportText(runs, plots, options);
  try {
    return await writeFiles(options.out, text, plots);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw badInput(`${options.out}: the report cannot be written: ${error.message}`, 'Give another --out.');
  }
}

/** Side by side, runs in folders of one name are told apart by their paths, and heuristic ones say so. */
function withNamesApart(runs: readonly ReportedRun[]): ReportedRun[] {
  if (runs.length === 1) return [...runs];
  return runs.map((run) => {
    const name = runs.filter((other) => other.name === run.name).length > 1 ? run.path : run.name;
    const first = run.images[0]?.certificate;
    const caveat = first === undefined ? null : caveatOf(first);
    return { ...run, name: caveat === null ? name : `${name} (${caveat})` };
  });
}

async function reportText(
  runs: readonly ReportedRun[],
  plots: readonly DrawnPlot[],
  { title, about = [], tables, data, attacks = [] }: ReportOptions,
): Promise<string> {
  const [first] = runs;
  if (first === undefined) throw new TypeError('a report needs a run');
  const groups: Group[] = [];
  for (const key of new Set(runs.map(groupOf))) {
    const members = runs.filter((run) => groupOf(run) === key);
    groups.push({ runs: members, images: await openCleanImages(mostComplete(members), data) });
  }
  const attacked = attacks.length === 0 ? null : await openAttacked(attacks);
  const single = runs.length === 1;
  const images = groups[0]?.images;
  const sections: [id: string, words: string, part: Markup | null][] = [
    ['headline', 'In short', single ? headline(first) : comparison(runs, tables ?? null)],
    ['plots', 'Plots', plotSection(plots)],
    ['images', 'Images', await imagesSection(groups, runs, attacked)],
    ['sweep', 'Slices', single && images ? await sweepSection(first, images) : null],
    ['every', 'Every image', single && images ? imagesTable(first, images) : everySection(groups)],
    ['ledger', 'The α ledger', single ? ledger(first) : null],
    ['provenance', 'Provenance', single ? provenance(first) : null],
    ['runs', 'The runs', single ? null : runsSection(runs)],
  ];
  const shown = sections.filter(([, , part]) => part !== null);
  const notes = runs.flatMap((run) => run.notes.map((note) => (single ? note : `${run.name}: ${note}`)));
  notes.push(...(attacked?.notes ?? []));
  return pageText({
    title:
      title ??
      (single ? `turnproof: ${first.name}` : `turnproof: ${runs.map(({ name }) => name).join(', ')}`),
    about: html`${about.map((paragraph) => html`<p>${paragraph}</p>`)}${notes.map((note) => html`<p class="note">${note}</p>`)}`,
    sections: shown.flatMap(([, , part]) => (part === null ? [] : [part])),
    contents: shown.map(([id, words]) => [id, words]),
  });
}

/** Transformation and data set: only such runs can be shown on the same images. */
function groupOf(run: ReportedRun): string {
  return `${transformOf([run])} ${run.config?.data.spec ?? ''}`;
}

/** «Rotation, mnist» where there are several groups. */
function headingOf({ runs }: Group): string {
  const spec = runs[0]?.config?.data.spec ?? '';
  const transform = transformOf(runs) === 'rotation' ? 'Rotation' : 'Translation';
  return spec === '' ? transform : `${transform}, ${spec.split(/[:,]/)[0]}`;
}

/** Runs of one transformation and data set, and the images of the largest of them. */
interface Group {
  readonly runs: readonly ReportedRun[];
  readonly images: CleanImages;
}

async function imagesSection(
  groups: readonly Group[],
  all: readonly ReportedRun[],
  attacked: AttackedImages | null,
): Promise<Markup> {
  const names = all.map(({ name }) => name);
  const parts: Markup[] = [];
  for (const group of groups) {
    const { runs, images } = group;
    const heading = groups.length > 1 ? html`<h3>${headingOf(group)}</h3>` : '';
    parts.push(html`${heading}${await gallery(runs, images, names, attacked)}`);
  }
  return html`<section aria-labelledby="images"><h2 id="images">Images</h2>${parts}</section>`;
}

function everySection(groups: readonly Group[]): Markup {
  const tables = groups.map((group) => [
    groups.length > 1 ? html`<h3>${headingOf(group)}</h3>` : '',
    comparedImages(group.runs, group.images.classes),
  ]);
  return html`<section aria-labelledby="every"><h2 id="every">Every image</h2>${tables}</section>`;
}

function plotSection(plots: readonly DrawnPlot[]): Markup | null {
  if (plots.length === 0) return null;
  return html`<section aria-labelledby="plots"><h2 id="plots">Plots</h2><div class="plots">
${plots.map(({ title, caption, svg }) => html`<figure class="plot"><h3>${title}</h3>${markup(svg)}<figcaption>${caption}</figcaption></figure>`)}
</div></section>`;
}

/** Ledger and provenance of each run, behind its name: ids of parts must not repeat. */
function runsSection(runs: readonly ReportedRun[]): Markup {
  const parts = runs.map(
    (run, i) =>
      html`<details><summary>${run.name}</summary>${markup(`${ledger(run).text}${provenance(run).text}`.replaceAll(/(id|aria-labelledby)="(ledger|provenance)"/g, `$1="$2-${i}"`))}</details>`,
  );
  return html`<section aria-labelledby="runs"><h2 id="runs">The runs</h2>
<p>The α ledger and the provenance of each.</p>${parts}</section>`;
}

/** The page last, and whole or not at all. */
async function writeFiles(out: string, text: string, plots: readonly DrawnPlot[]): Promise<WrittenReport> {
  const folder = join(out, PLOTS);
  makeFolder(folder);
  // Plots of an earlier report on these runs; nothing else is touched.
  for (const name of await readdir(folder)) if (name.endsWith('.svg')) await rm(join(folder, name));
  const paths: string[] = [];
  for (const { name, svg } of plots) {
    const path = join(folder, `${name}.svg`);
    await writeFile(path, `${svg}\n`);
    paths.push(path);
  }
  const page = join(out, PAGE);
  await writeFile(`${page}.part`, text);
  await rename(`${page}.part`, page);
  return { page, plots: paths };
}
