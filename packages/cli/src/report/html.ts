/**
 * Markup from templates: whatever is put in is escaped unless it is markup already. For HTML and for SVG inside and
 * outside of it. Not for scripts or styles: nothing may be put into those.
 */

import { printable } from '../printable.ts';

/** Text that is markup. Only `html` and `markup` make it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = string | number | Markup | null | undefined | false | readonly Content[];

/**
 * Tag of a template. Strings and numbers are escaped, for text and for attributes in quotes; null, undefined and false
 * leave nothing; lists are put one after the other.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const text = parts.map((part, i) => part + render(values[i])).join('');
  return new Markup(text);
}

/** Vouches that a text is markup: what a library drew, a style sheet of ours. */
export function markup(text: string): Markup {
  return new Markup(text);
}

function render(value: Content): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return value.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
