/** The parts of a report that are tables and figures: headline, every image, ledger, provenance. */

import { adaptationWords, type Certificate, confidenceAt, percent } from '@turnproof/certify';
import { downTo, upTo } from '../rounding.ts';
import { rhoOf } from './certificates.ts';
import type { CleanImages } from './clean-images.ts';
import { comparisonTables, figuresOf, type TextTable } from './figures.ts';
import { mostComplete, radiusText, sameImage, transformOf } from './gallery.ts';
import { type Content, html, type Markup } from './html.ts';
import type { ReportedRun } from './read-run.ts';
import {
  accountWords,
  caveatOf,
  className,
  methodWords,
  recoveredWords,
  regionWords,
  unitSign,
  verdictOf,
} from './words.ts';

/** A table that scrolls by itself where the page is too narrow for it. */
export function table(
  caption: Content,
  columns: readonly Content[],
  rows: readonly (readonly Content[])[],
  kind = '',
): Markup {
  return html`<div class="scroll ${kind}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>\n`)}</tbody></table></div>`;
}

function tile(value: Content, label: Content): Markup {
  return html`<div class="tile"><dt>${label}</dt><dd>${value}</dd></div>`;
}

/** The run in a few numbers and one sentence. */
export function headline(run: ReportedRun): Markup {
  const figures = figuresOf(run);
  const first = run.images[0]?.certificate;
  if (first === undefined) return html``;
  const { name, guarantee } = methodWords(first.method);
  const example = run.images.find(({ certificate }) => certificate.predicted !== null)?.certificate;
  const { certified, images } = figures;
  const sign = unitSign(figures.unit);
  const caveat = caveatOf(first);
  const accuracy = caveat === null ? 'certified accuracy' : `accuracy as if certified (${caveat})`;
  const tiles = [
    tile(images, images === 1 ? 'image' : 'images'),
    tile(
      figures.baseAccuracy === null ? 'unknown' : figures.baseAccuracy.toFixed(3),
      'accuracy of the classifier itself, without attack or smoothing',
    ),
    ...(certified.length === 0
      ? [tile(downTo(figures.certifiedShare, 3), 'share certified (no labels known)')]
      : []),
    ...certified.map(({ radius, accuracy: share }) =>
      tile(
        downTo(share, 3),
        radius === 0 ? `${accuracy} at any radius` : `${accuracy} at ${Number(radius.toFixed(3))}${sign}`,
      ),
    ),
    tile(figures.abstained, 'abstained'),
    tile(percent(figures.confidence), 'confidence of each certificate'),
    tile(
      html`${(figures.boundSeconds + figures.samplingSeconds).toFixed(1)} s`,
      `an image: ${figures.boundSeconds.toFixed(1)} for bounds, ${figures.samplingSeconds.toFixed(1)} for sampling`,
    ),
  ];
  return html`<section aria-labelledby="headline"><h2 id="headline">In short</h2>
<p class="lead${caveat === null ? '' : ' heuristic'}"><strong>${name}.</strong> ${caveat === null || first.method === 'base' ? '' : `${SAMPLED_LEAD} `}${guarantee}${first.method === 'base' ? '' : ` Each certificate${first.method === 'dist-d' ? ' of an image that E covers' : ''} is wrong with probability at most ${percent(1 - figures.confidence)} over the random draws of the run.`}</p>
<dl class="tiles">${tiles}</dl>
${first.method === 'dist-d' ? calibrationTable(first) : ''}
${example === undefined ? html`<p>No image could be certified.</p>` : html`<p>Image ${example.index}, for example: «${example.guarantee}»</p>`}
</section>`;
}

const SAMPLED_LEAD =
  'Sampled, no guarantee on Γ: the calibration held the largest error at some random γ of each β against E, not the maximum over Γ.';

/** What Dist-D rests on. */
function calibrationTable({ bound }: Extract<Certificate, { method: 'dist-d' }>): Markup {
  const { calibration } = bound;
  const { errors, nGammas, nBetas, nImages, passed, mostExceeding, alpha, alphaInner } = calibration;
  const rows: [string, Content][] = [
    ['E', upTo(calibration.E, 5)],
    ['ρ_E', calibration.rhoE],
    ['q_E', downTo(calibration.qE, 4)],
    ['confidence of q_E', confidenceAt(alpha)],
    ['images that passed', `${passed} of ${nImages}`],
    ['β of each', `${nBetas}; ${mostExceeding} of them may exceed E`],
    ['an image passes wrongly with probability at most', alphaInner],
    [
      'errors',
      errors === 'bounded' ? 'bounded over Γ' : `at ${nGammas} random γ of each β: no guarantee on Γ`,
    ],
    ['SHA-256 of calibration.json', html`<code>${calibration.sha256}</code>`],
  ];
  return table(
    'The calibration: of the images of its distribution, a share of at least q_E is served by E.',
    ['what', 'value'],
    rows,
    'words',
  );
}

/** @param tables instead of the plain ones: the same with rows of others */
export function comparison(runs: readonly ReportedRun[], tables: readonly TextTable[] | null): Markup {
  const methods = [...new Set(runs.flatMap(({ images }) => images[0]?.certificate.method ?? []))];
  const caption =
    'b acc.: accuracy of the classifier itself; cert.: certified accuracy at that radius (rounded down); abstained: ' +
    'share; seconds: mean of an image.';
  return html`<section aria-labelledby="headline"><h2 id="headline">In short</h2>
${methods.map((method) => {
  const { name, guarantee } = methodWords(method);
  return html`<p class="lead${method === 'base' ? ' heuristic' : ''}"><strong>${name}.</strong> ${guarantee}</p>`;
})}
${runs.some(({ images: [one] }) => one?.certificate.method === 'dist-d' && caveatOf(one.certificate) !== null) ? html`<p class="lead heuristic">${SAMPLED_LEAD}</p>` : ''}
${(tables ?? comparisonTables(runs)).map(({ title, caption: own, columns, rows }) => table(`${title}. ${own ?? caption}`, columns, rows))}
</section>`;
}

export function imagesTable(run: ReportedRun, { classes }: CleanImages): Markup {
  const sweep = run.images.some(({ certificate }) => certificate.method === 'sweep');
  const columns = [
    'image',
    'label',
    'answer',
    'result',
    'radius',
    ...(sweep ? ['certified', 'slices passed'] : ['E', 'ρ_E', 'β that agree']),
    'samples',
    'bound s',
    'sampling s',
    'why nothing is claimed',
  ];
  const rows = run.images.map(({ certificate }) => {
    const { index, label, predicted, samples, ms, abstention } = certificate;
    const rho = rhoOf(certificate);
    return [
      index,
      className(label, classes),
      className(predicted, classes),
      verdictOf(certificate),
      radiusText(certificate),
      ...(certificate.method === 'sweep'
        ? [regionWords(certificate), slicesPassed(certificate.slices)]
        : [
            certificate.bound ? upTo(certificate.bound.E, 4) : '',
            rho === null ? '' : upTo(rho, 5),
            `${certificate.counts.kGamma} of ${betasTested(certificate)}`,
          ]),
      samples,
      (ms.bound / 1000).toFixed(2),
      (ms.sampling / 1000).toFixed(2),
      abstention,
    ];
  });
  const unit = figuresOf(run).unit;
  return html`<section aria-labelledby="every"><h2 id="every">Every image</h2>
${table(`Radii in ${unit}, rounded down; E and ρ_E rounded up.`, columns, rows, 'numbers')}</section>`;
}

function slicesPassed(slices: readonly { readonly passed: boolean }[]): string {
  return `${slices.filter(({ passed }) => passed).length} of ${slices.length}`;
}

/** Those that were really put to the test: an early end leaves some out. */
function betasTested(certificate: Exclude<Certificate, { method: 'sweep' }>): number {
  const { counts, method, pABar } = certificate;
  if (method === 'base') return pABar === null ? 0 : counts.nGamma;
  return counts.inner.length;
}

/** Every image of runs of one transformation, side by side. */
export function comparedImages(runs: readonly ReportedRun[], classes: readonly string[] | null): Markup {
  const rows = mostComplete(runs).images.map(({ certificate }) => [
    certificate.index,
    className(certificate.label, classes),
    ...runs.map((run) => {
      const found = sameImage(run, certificate);
      if (found === null) return '';
      const wrong = verdictOf(found) === 'wrong' ? ' (wrong)' : '';
      return found.predicted === null ? 'abstained' : `${found.predicted}${wrong}: ${regionWords(found)}`;
    }),
  ]);
  return table(
    `Answer and what is certified, for each image (${transformOf(runs)}).`,
    ['image', 'label', ...runs.map(({ name }) => name)],
    rows,
    'numbers',
  );
}

export function ledger(run: ReportedRun): Markup {
  const names = [...new Set(run.images.flatMap(({ certificate }) => Object.keys(certificate.ledger)))];
  const accounts = names.filter((name) => name !== 'spent');
  const rows = accounts.map((name) => {
    const [symbol, words] = accountWords(name);
    const granted = run.images.map(({ certificate }) => grantOf(certificate, name));
    const spent = run.images.map(({ certificate }) => spentOf(certificate, name));
    return [symbol, words, range(granted), range(spent)];
  });
  return html`<section aria-labelledby="ledger"><h2 id="ledger">The α ledger</h2>
<p>Every random draw can mislead. The probability of an error that a certificate may make is split among the steps that
could make it; no step may spend more than it was given.</p>
${table('What each probability of error pays for, per certificate. Spent: least to most over the images; an early end spends less.', ['account', 'the error it covers', 'given', 'spent'], rows)}</section>`;
}

function grantOf({ ledger: accounts }: Certificate, name: string): number {
  const value = Object.entries(accounts).find(([key]) => key === name)?.[1];
  return typeof value === 'number' ? value : 0;
}

function spentOf({ ledger: { spent } }: Certificate, name: string): number {
  if (name === 'total') return Object.values(spent).reduce((sum, value) => sum + value, 0);
  return spent[name] ?? 0;
}

function range(values: readonly number[]): string {
  const [least, most] = [Math.min, Math.max].map((pick) => values.reduce((a, b) => pick(a, b)));
  const text = (x: number | undefined) => String(Number((x ?? 0).toPrecision(4)));
  return text(least) === text(most) ? text(least) : `${text(least)} to ${text(most)}`;
}

/** Options that say how it is printed or where it goes, not what is computed. */
const OUTPUT = new Set(['json', 'quiet', 'verbose', 'config', 'out', 'dry-run']);

/** A command line that makes the run again. */
export function commandLine({ config }: ReportedRun): string | null {
  if (config === null) return null;
  const words = Object.entries(config.options).flatMap(([name, value]) => {
    if (OUTPUT.has(name) || value === false) return [];
    if (value === true) return [`--${name}`];
    return [value].flat().flatMap((word) => [`--${name}`, word]);
  });
  return ['turnproof', config.command, ...words].map(quoted).join(' ');
}

/** As a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function provenance(run: ReportedRun): Markup {
  const distinct = (read: (certificate: Certificate) => string) =>
    [...new Set(run.images.map(({ certificate }) => read(certificate)))].join('; ');
  const command = commandLine(run);
  const first = run.images[0]?.certificate;
  const adapted = distinct(({ model }) => adaptationWords(model.adapted ?? {}).join('; '));
  const recovered = run.images.flatMap(({ certificate }) => recoveredWords(certificate) ?? []);
  const rows: [string, Content][] = [
    ['model', distinct(({ model }) => model.file)],
    ...(adapted === '' ? [] : [['model adapted', adapted] satisfies [string, Content]]),
    ['model SHA-256', html`<code>${distinct(({ model }) => model.sha256)}</code>`],
    ['shaders SHA-256', html`<code>${distinct(({ shaders }) => shaders.sha256)}</code>`],
    [
      'data set',
      run.config === null ? 'not known' : `${run.config.data.spec}, ${run.config.data.size} images`,
    ],
    [
      'image size',
      distinct(({ image: { shape } }) => `${shape.channels} x ${shape.height} x ${shape.width}`),
    ],
    [
      'transformation',
      distinct(({ pipeline, unit }) => `${pipeline.transform}, ±${pipeline.range}${unitSign(unit)}`),
    ],
    ['before the classifier', distinct(({ pipeline }) => preWords(pipeline))],
    [
      'attacker hands over',
      distinct(({ pipeline }) => (pipeline.quantization === 'u8' ? '8-bit images' : 'real-valued images')),
    ],
    ['noise', first === undefined ? '' : noiseWords(first)],
    ['seed', distinct(({ seed }) => String(seed))],
    ['adapter', distinct(({ adapter }) => `${adapter.name} (${adapter.kind})`)],
    ['classifier ran on', distinct(({ provider }) => provider)],
    [
      'versions',
      distinct(({ versions }) =>
        Object.entries(versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', '),
      ),
    ],
    ['started', run.config?.started ?? 'not known'],
    ...(recovered.length === 0
      ? []
      : [['done again from the start', recovered.join('; ')] satisfies [string, Content]]),
  ];
  const hashes = run.images.map(({ certificate }) => [
    certificate.index,
    html`<code>${certificate.image.sha256}</code>`,
  ]);
  return html`<section aria-labelledby="provenance"><h2 id="provenance">Provenance</h2>
${table('Where these certificates come from.', ['what', 'value'], rows, 'words')}
${command === null ? '' : html`<h3>To make them again</h3><pre>${command}</pre>`}
<h3>To check them without trusting this page</h3><pre>turnproof verify ${quoted(run.path)}</pre>
<details><summary>SHA-256 of the ${run.images.length === 1 ? 'image' : 'images'} (pixels as little-endian float32)</summary>
${table('Image hashes.', ['image', 'SHA-256'], hashes)}</details></section>`;
}

function preWords({ vignette, blur }: Certificate['pipeline']): string {
  const words = [
    vignette.kind === 'none'
      ? 'no vignette'
      : `vignette ${vignette.kind}, ${vignette.offset} pixels off the edge`,
    blur === null ? 'no blur' : `Gaussian blur of ${blur.size} taps, σ ${blur.sigma}`,
  ];
  return words.join('; ');
}

function noiseWords(certificate: Certificate): string {
  const { lattice } = certificate;
  const steps = typeof lattice === 'number' ? `, in steps of 2^-${lattice}` : '';
  const pixels =
    certificate.sigmaEps === null ? 'no pixel noise' : `σ_ε = ${certificate.sigmaEps} on pixels${steps}`;
  if (certificate.method === 'sweep') return pixels;
  return `σ_γ = ${certificate.sigmaGamma} ${certificate.unit} on β; ${pixels}`;
}
