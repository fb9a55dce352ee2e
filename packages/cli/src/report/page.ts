/** The page around the parts: one file, no scripts, no network. */
import { html, type Markup, markup } from './html.ts';
import { STYLE } from './style.ts';

export interface Page {
  readonly title: string;
  /** Below the title. */
  readonly about: Markup;
  readonly sections: readonly Markup[];
  /** [id, words] of the sections' headings. */
  readonly contents: readonly (readonly [id: string, words: string])[];
}

/** Nothing is ever fetched or run, whatever a file name manages to put in. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

export function pageText({ title, about, sections, contents }: Page): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${markup(STYLE)}</style>
</head>
<body>
<header><h1>${title}</h1>
${about}
<nav aria-label="Contents"><ul>${contents.map(([id, words]) => html`<li><a href="#${id}">${words}</a></li>`)}</ul></nav>
</header>
<main>
${sections}
</main>
</body>
</html>
`;
  return page.text;
}
