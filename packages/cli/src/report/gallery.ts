/** The images of a report: each with what is certified of it. */

import type { Certificate } from '@turnproof/certify';
import { downTo } from '../rounding.ts';
import type { AttackedImages, WorstImage } from './attacked-images.ts';
import { regionOf } from './certificates.ts';
import { type CleanImage, type CleanImages, canBeShown, pngUri } from './clean-images.ts';
import { SERIES } from './draw-plot.ts';
import { html, type Markup } from './html.ts';
import type { ReportedRun } from './read-run.ts';
import { type Layer, regionFigure } from './region-figure.ts';
import { className, regionWords, unitSign, type Verdict, verdictOf } from './words.ts';

/** More would make a page that no browser likes to open. */
export const MAX_CARDS = 48;
/** Rings beyond these would hide the image. */
export const MAX_RINGS = 6;

/** Which images are shown: all, or those first that a reader wants to look at, in the order of the run. */
export function chosenImages(run: ReportedRun, limit = MAX_CARDS): Certificate[] {
  const certificates = run.images.map(({ certificate }) => certificate);
  if (certificates.length <= limit) return certificates;
  const rank: Record<Verdict, number> = { wrong: 0, abstained: 1, correct: 2, certified: 2 };
  const ranked = certificates.toSorted(
    (a, b) => rank[verdictOf(a)] - rank[verdictOf(b)] || (a.radius ?? 0) - (b.radius ?? 0),
  );
  const chosen = new Set(ranked.slice(0, limit));
  return certificates.filter((certificate) => chosen.has(certificate));
}

/**
 * Cards of the images of one run, or of several of one transformation.
 *
 * @param all the names of all runs of the report: a run has the same colour everywhere
 */
export async function gallery(
  runs: readonly ReportedRun[],
  images: CleanImages,
  all: readonly string[],
  attacked: AttackedImages | null = null,
): Promise<Markup> {
  const toneOf = ({ name }: ReportedRun) => `tone-${all.indexOf(name) % SERIES.length}`;
  const main = mostComplete(runs);
  const shown = runs.slice(0, MAX_RINGS);
  const chosen = chosenImages(main);
  const cards: Markup[] = [];
  for (const certificate of chosen) cards.push(await card(certificate, shown, images, toneOf, attacked));
  const left = main.images.length - chosen.length;
  const several = shown.length > 1;
  return html`<p>${legend(main, several)}</p>
${several ? html`<ol class="keys">${shown.map((run) => html`<li><span class="key ${toneOf(run)}"></span> ${run.name}</li>`)}</ol>` : ''}
${runs.length > shown.length ? html`<p>Only the first ${shown.length} runs are drawn here.</p>` : ''}
${left > 0 ? html`<p>${chosen.length} of ${main.images.length} images${several ? ` of ${main.name}` : ''}, in the order of the run: all wrong answers and abstentions that fit, then the smallest radii. The rest is in the table.</p>` : ''}
<div class="cards">${cards}</div>`;
}

/** The first of those with the most images. */
export function mostComplete(runs: readonly ReportedRun[]): ReportedRun {
  const [first, ...others] = runs;
  if (first === undefined) throw new TypeError('no run');
  return others.reduce((best, run) => (run.images.length > best.images.length ? run : best), first);
}

export function transformOf(runs: readonly ReportedRun[]): 'rotation' | 'translation' {
  return runs[0]?.images[0]?.certificate.pipeline.transform ?? 'rotation';
}

function legend(run: ReportedRun, several: boolean): string {
  const pipeline = run.images[0]?.certificate.pipeline;
  const range = pipeline?.range ?? 0;
  const tones = several
    ? 'Each run has its colour, listed from the inside outwards.'
    : 'Green: right answer; orange: certified, but not the label; blue: no label known.';
  if (pipeline?.transform === 'translation') {
    return (
      `Left the image as it is, right the map of all shifts up to ±${range} px on each axis (shifts to the right go ` +
      `to the right). Filled: the shifts that are certified; a disc where the certificate is about the length of the ` +
      `shift, a rectangle where it is about each axis. ${tones}`
    );
  }
  return (
    `The ring around an image: the grey part is the range ±${range}°, the filled part the angles that are certified, ` +
    `counter-clockwise to the left of the mark at the top (upright). ${tones}`
  );
}

async function card(
  certificate: Certificate,
  runs: readonly ReportedRun[],
  images: CleanImages,
  toneOf: (run: ReportedRun) => string,
  attacked: AttackedImages | null,
): Promise<Markup> {
  const { index, label, image, pipeline } = certificate;
  const clean = await shownImage(certificate, images);
  const uri = typeof clean === 'string' ? null : await pngUri(clean.pixels, image.shape);
  const found = runs.map((run) => ({ run, certificate: sameImage(run, certificate) }));
  const layers = found.map((one): Layer => {
    const tone = runs.length > 1 ? toneOf(one.run) : `verdict-${verdictOf(certificate)}`;
    return { tone, region: one.certificate === null ? null : regionOf(one.certificate) };
  });
  const words = found.map(({ run, certificate: one }) => ({
    name: run.name,
    text: one === null ? 'not in this run' : resultWords(one, images.classes),
    certificate: one,
  }));
  const alternative = `Image ${index}, range ±${pipeline.range}${unitSign(certificate.unit)}. ${words
    .map(({ name, text }) => (runs.length > 1 ? `${name}: ${text}` : text))
    .join('; ')}`;
  const figure = regionFigure({
    image: uri,
    ...image.shape,
    transform: pipeline.transform,
    range: pipeline.range,
    layers,
    alternative,
  });
  const name = typeof clean === 'string' ? null : clean.name;
  const worst = canBeShown(image.shape) ? ((await attacked?.worst(image.sha256)) ?? null) : null;
  return html`<article class="card">${figure}<div><h3>Image ${index}</h3>
${name === null ? '' : html`<p class="quiet name">${name}</p>`}
${label === null ? '' : html`<p>label ${className(label, images.classes)}</p>`}
${words.map(({ name: run, text, certificate: one }) => html`<p>${runs.length > 1 ? html`<span class="quiet">${run}:</span> ` : ''}${text}${one?.abstention ? html` <span class="quiet">(${one.abstention})</span>` : ''}</p>`)}
${typeof clean === 'string' ? html`<p class="quiet">Not shown: ${clean}.</p>` : ''}
${worst === null ? '' : await worstFigure(worst, certificate, images.classes)}</div></article>`;
}

/** The worst attack found, as b sees it before preprocessing. */
async function worstFigure(
  { pixels, gamma, answer, wrong, attacks }: WorstImage,
  { image, label, unit, index }: Certificate,
  classes: readonly string[] | null,
): Promise<Markup> {
  const at = gamma.map((axis) => Number(axis.toFixed(2))).join(', ');
  const said = answer === null ? 'no class' : `class ${className(answer, classes)}`;
  const verdict = label === null || answer === label ? '' : ', not the label';
  const words = `worst of ${attacks} attacks, γ = ${at}${unitSign(unit)}: b alone says ${said}${verdict} (${wrong} of ${attacks} answered otherwise)`;
  return html`<figure class="worst"><img class="pixels" alt="Image ${index}, ${words}" src="${await pngUri(pixels, image.shape)}"><figcaption>${words}</figcaption></figure>`;
}

/** The image that was certified, or why it is not drawn. */
export async function shownImage(
  certificate: Certificate,
  images: CleanImages,
): Promise<CleanImage | string> {
  const { shape } = certificate.image;
  if (!canBeShown(shape)) return `images of ${shape.channels} channels cannot be drawn`;
  return images.read(certificate);
}

function resultWords(certificate: Certificate, classes: readonly string[] | null): string {
  const verdict = verdictOf(certificate);
  if (verdict === 'abstained') return 'abstained';
  const mark = verdict === 'wrong' ? ', not the label' : '';
  return `class ${className(certificate.predicted, classes)}${mark}: ${regionWords(certificate)}`;
}

/** The certificate of the same image in another run: same number, same pixels, same transformation. */
export function sameImage(run: ReportedRun, wanted: Certificate): Certificate | null {
  const found = run.images.find(
    ({ certificate }) =>
      certificate.index === wanted.index &&
      certificate.image.sha256 === wanted.image.sha256 &&
      certificate.pipeline.transform === wanted.pipeline.transform,
  );
  return found?.certificate ?? null;
}

/** A radius for tables, rounded down. */
export function radiusText({ radius }: Certificate): string {
  return radius === null ? '' : downTo(radius, 4);
}
