/** What only Sweep has: the slices of an image, where certification ended, and what the image looks like there. */
import type { Preprocess } from '@turnproof/shaders';
import { preOracle, warpOracle } from '@turnproof/shaders/oracle';
import { upTo } from '../rounding.ts';
import { type Break, regionOf, type SweepCertificate } from './certificates.ts';
import { type CleanImages, pngUri } from './clean-images.ts';
import { chosenImages, shownImage } from './gallery.ts';
import { html, type Markup } from './html.ts';
import type { ReportedRun } from './read-run.ts';
import { regionFigure } from './region-figure.ts';
import { className, regionWords, unitSign, verdictOf } from './words.ts';

/** Null where the run has no certificate of this method. */
export async function sweepSection(run: ReportedRun, images: CleanImages): Promise<Markup | null> {
  const sweeps = chosenImages(run).filter((certificate) => certificate.method === 'sweep');
  if (sweeps.length === 0) return null;
  const parts: Markup[] = [];
  for (const certificate of sweeps) parts.push(await sweepImage(certificate, images));
  return html`<section aria-labelledby="sweep"><h2 id="sweep">Slices, and where certification ended</h2>
<p>Each part of a filled region is a slice that was certified from its centre. Red: slices whose test failed, as far
as no halves of them passed. A red mark: where the class did worst beyond the end, for every end short of the range that samples were left for.
Beside it the image at that mark, and what the classifier sees of it (after vignette and blur, before noise).</p>
${parts}</section>`;
}

async function sweepImage(certificate: SweepCertificate, images: CleanImages): Promise<Markup> {
  const { index, label, image, pipeline, slices, breaks } = certificate;
  const clean = await shownImage(certificate, images);
  const uri = typeof clean === 'string' ? null : await pngUri(clean.pixels, image.shape);
  const passed = slices.filter((slice) => slice.passed);
  const widest = passed.reduce((largest, { E }) => Math.max(largest, E), 0);
  const figure = regionFigure({
    image: uri,
    ...image.shape,
    transform: pipeline.transform,
    range: pipeline.range,
    layers: [
      {
        tone: `verdict-${verdictOf(certificate)}`,
        region: regionOf(certificate),
        slices,
        marks: breaks.map(({ gamma }) => gamma),
      },
    ],
    alternative: `Image ${index}: ${regionWords(certificate)} in ${passed.length} slices, ${breaks.length} breaks`,
  });
  const views: Markup[] = [];
  if (typeof clean !== 'string') {
    for (const one of breaks) views.push(await breakViews(certificate, one, clean.pixels));
  }
  const from = label === null ? '' : `, label ${className(label, images.classes)}`;
  return html`<article class="sweep"><h3>Image ${index}${from}</h3>
<div class="sweep-row">${figure}<div>
<p>${certificate.predicted === null ? html`Abstained: ${certificate.abstention}` : html`Class ${className(certificate.predicted, images.classes)}, certified ${regionWords(certificate)}`};
${passed.length} of ${slices.length} slices passed${passed.length === 0 ? '' : html`, largest E ${upTo(widest, 4)}`}.</p>
${breaks.length === 0 ? html`<p>${unsearchedWords(certificate)}</p>` : html`<ul>${breaks.map((one) => html`<li>${breakWords(certificate, one, images.classes)}</li>`)}</ul>`}
${typeof clean === 'string' ? html`<p class="quiet">Not shown: ${clean}.</p>` : ''}</div>${views}</div></article>`;
}

/** Where no end was searched: there is none, or nothing to search, or no samples were left for it. */
function unsearchedWords({ interval, slices, pipeline: { range } }: SweepCertificate): string {
  const ends = interval ? [...interval.lower.map((a) => -a), ...interval.upper] : [0];
  if (ends.every((end) => end === range)) return 'Nothing stopped it: the whole range is certified.';
  return slices.length === 0 ? '' : 'Its samples were used up before anybody looked for a reason.';
}

function breakWords(
  { unit }: SweepCertificate,
  { lower, upper, gamma, k, n, rival, rivalCount, kind }: Break,
  classes: readonly string[] | null,
): string {
  const sign = unitSign(unit);
  const where = `At ${place(gamma, sign)} (slice ${place(lower, sign)} to ${place(upper, sign)})`;
  const votes = `the certified class had ${k} of ${n} samples there`;
  const other = rival === null ? 'another class' : `class ${className(rival, classes)}`;
  if (kind === 'wrong') return `${where} ${other} took over with ${rivalCount} of ${n} samples; ${votes}.`;
  const next = rival === null ? '' : `, ${other} came next with ${rivalCount}`;
  return `${where} it stayed undecided: the slice was not certified, and no other class was shown to win; ${votes}${next}.`;
}

function place(parameter: readonly number[], sign: string): string {
  const values = parameter.map((value) => Number(value.toFixed(4)));
  return values.length === 1 ? `${values[0]}${sign}` : `(${values.join(', ')})${sign}`;
}

/** T_γ x and pre(T_γ x), in float64. */
async function breakViews(
  { image, pipeline, unit }: SweepCertificate,
  { gamma }: Break,
  pixels: Float32Array,
): Promise<Markup> {
  const { shape } = image;
  const { transform, vignette, blur } = pipeline;
  const pre: Preprocess = {
    vignette: vignette.kind === 'none' ? { kind: 'none' } : { kind: vignette.kind, offset: vignette.offset },
    blur,
  };
  const moved = warpOracle(transform, gamma, pixels, shape);
  const seen = preOracle(moved, shape, pre);
  const where = place(gamma, unitSign(unit));
  const [movedUri, seenUri] = [await pngUri(moved, shape), await pngUri(seen, shape)];
  return html`<figure class="view"><img class="pixels" src="${movedUri}" alt="the image at ${where}"><img class="pixels" src="${seenUri}" alt="what the classifier sees at ${where}"><figcaption>at ${where}: the image, and what the classifier sees</figcaption></figure>`;
}
