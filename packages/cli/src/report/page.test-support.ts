/** Reading a report with parsers that have no mercy. Test support only. */
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { SaxesParser } from 'saxes';
import sharp from 'sharp';
import { expect } from 'vitest';

export type Element = DefaultTreeAdapterTypes.Element;

/** All elements of a page that has no fault that a parser could name. */
export function elementsOf(page: string): Element[] {
  const faults: string[] = [];
  const document = parse(page, {
    onParseError: ({ code, startLine }) => faults.push(`line ${startLine}: ${code}`),
  });
  expect(faults).toEqual([]);
  const elements: Element[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if ('tagName' in node) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(document);
  return elements;
}

export const attribute = (element: Element, name: string) =>
  element.attrs.find((candidate) => candidate.name === name)?.value;

export function textOf(node: DefaultTreeAdapterTypes.Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** Nothing runs, nothing is fetched, and nobody is left without words for what is drawn. */
export function checkPage(page: string): Element[] {
  const elements = elementsOf(page);
  const names = new Set(elements.map(({ tagName }) => tagName));
  for (const name of ['script', 'iframe', 'object', 'embed', 'link', 'base', 'form'])
    expect(names).not.toContain(name);
  for (const element of elements) {
    for (const { name, value } of element.attrs) {
      expect(name).not.toMatch(/^on/i);
      if (['src', 'href', 'xlink:href'].includes(name))
        expect(value).toMatch(/^(#[a-z]|data:image\/png;base64,)/);
    }
    if (element.tagName === 'img') expect(attribute(element, 'alt')).toBeTruthy();
    if (element.tagName === 'svg') {
      expect(attribute(element, 'role')).toBe('img');
      expect(attribute(element, 'aria-label') ?? attribute(element, 'aria-labelledby')).toBeTruthy();
    }
  }
  const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
  expect(ids).toEqual([...new Set(ids)]);
  const count = (name: string) => elements.filter(({ tagName }) => tagName === name).length;
  expect(count('h1')).toBe(1);
  expect(count('caption')).toBe(count('table'));
  expect(page).not.toMatch(/url\(|@import/);
  return elements;
}

export function checkXml(text: string): void {
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(text).close();
}

export const pngOf = async (uri: string | undefined) =>
  sharp(Buffer.from(uri?.replace('data:image/png;base64,', '') ?? '', 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });

/** [channels, height, width] in [0, 1] as bytes in the order of a PNG. */
export function bytesOf(pixels: ArrayLike<number>, channels: number): Buffer {
  const plane = pixels.length / channels;
  return Buffer.from(
    Array.from({ length: pixels.length }, (_, i) =>
      Math.round(255 * (pixels[(i % channels) * plane + Math.floor(i / channels)] ?? Number.NaN)),
    ),
  );
}

/** The words of a page, without its marks. */
export const wordsOf = (page: string): string => textOf(parse(page));
