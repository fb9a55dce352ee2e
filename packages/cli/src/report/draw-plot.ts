/**
 * Plots as SVG text through Vega, which needs neither a browser nor a canvas for it. One text serves the page and the
 * file beside it: ink follows the reader's light or dark scheme, series have colours that stand out from both.
 */
import type { TopLevelSpec } from 'vega-lite';
import { escapeText } from './html.ts';

/** At least 3 : 1 against white and against the page's dark background. */
export const SERIES = ['#2f7fd6', '#d4711a', '#27935a', '#b05cc8', '#d64545', '#8a7a1f'] as const;
export const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
] as const;

export interface Plot {
  /** kebab-case: file name and id. */
  readonly name: string;
  readonly title: string;
  /** What is seen in it, for those who do not see it. */
  readonly alternative: string;
  /** Below the plot: how to read it. */
  readonly caption: string;
  readonly spec: TopLevelSpec;
}

export interface DrawnPlot extends Plot {
  readonly svg: string;
}

const INK = 'currentColor';
const axis = {
  labelColor: INK,
  titleColor: INK,
  domainColor: INK,
  tickColor: INK,
  gridColor: INK,
  domainOpacity: 0.6,
  tickOpacity: 0.6,
  gridOpacity: 0.15,
  labelFontSize: 12,
  titleFontSize: 12,
  titleFontWeight: 'normal',
  titlePadding: 8,
} as const;
const CONFIG = {
  font: 'system-ui, sans-serif',
  background: 'transparent',
  view: { stroke: null },
  axis,
  legend: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    labelLimit: 360,
    orient: 'bottom',
    columns: 2,
    title: null,
    symbolStrokeWidth: 2.5,
  },
  header: { labelColor: INK, titleColor: INK, labelFontSize: 12, labelLimit: 300 },
  axisX: { grid: false },
} as const;

export const PLOT_WIDTH = 400;

/**
 * Vega itself. Loaded when it is needed, because it takes a quarter of a second and most commands draw nothing; a long
 * run loads it on the way, so that its end does not wait for it.
 */
export function loadPlotting(): Promise<
  [Pick<typeof import('vega'), 'parse' | 'View'>, Pick<typeof import('vega-lite'), 'compile'>]
> {
  return Promise.all([import('vega'), import('vega-lite')]);
}

export async function drawPlot(plot: Plot): Promise<DrawnPlot> {
  const [{ parse, View }, { compile }] = await loadPlotting();
  const { spec } = compile(plot.spec, { config: CONFIG, logger: SILENT });
  const view = new View(parse(spec), { renderer: 'none', logLevel: 0 });
  try {
    return { ...plot, svg: finish(await view.toSVG(), plot) };
  } finally {
    view.finalize();
  }
}

/** Warnings about a specification are the developer's: a test reads them, a user cannot mend them. */
const SILENT = {
  level: () => 0,
  error: () => SILENT,
  warn: () => SILENT,
  info: () => SILENT,
  debug: () => SILENT,
};

/** Names the image, and gives it ink by the reader's scheme; on paper it is dark. */
function finish(svg: string, { name, title, alternative }: Plot): string {
  const id = `plot-${name}`;
  const style =
    `#${id} { color: #1f2328; } ` +
    `@media screen and (prefers-color-scheme: dark) { #${id} { color: #e6e8eb; } }`;
  const head =
    `<title id="${id}-title">${escapeText(title)}</title>` +
    `<desc id="${id}-desc">${escapeText(alternative)}</desc><style>${style}</style>`;
  const opening = /^<svg [^>]*>/.exec(svg)?.[0];
  if (opening === undefined) throw new TypeError('Vega drew no SVG');
  const named = opening.replace(
    'class="marks"',
    `id="${id}" role="img" aria-labelledby="${id}-title" aria-describedby="${id}-desc"`,
  );
  return named + head + svg.slice(opening.length);
}
