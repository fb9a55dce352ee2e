import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';

describe('parseJson', () => {
  it('reads any JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual({ content: JSON.parse(text), fault: null });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['at the top', '{"radius":1,"seed":2,"radius":30}', 'radius'],
    ['deep inside', '[[{"a":{"k":1, "n" : 2 ,"k":1}}]]', 'k'],
    ['written otherwise', '{"k":1,"\\u006b":2}', 'k'],
    ['with odd characters', '{"a\\"b\\\\":[{"x":"}"}],"a\\"b\\\\":1}', 'a"b\\'],
    ['of the prototype', '{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('finds a key that is there twice, %s', (_, text, key) => {
    expect(parseJson(text).fault).toBe(`has two values for «${key}»`);
  });

  it('lets the same key stand in different objects, and in strings', () => {
    expect(parseJson('[{"a":1},{"a":{"a":2}},"\\"a\\":","a"]').fault).toBeNull();
  });

  it('says of anything else that it is no JSON, however deep', () => {
    for (const text of ['', '{', '{"a":1,}', "{'a':1}", '\u0000'])
      expect(parseJson(text).fault).toBe('is no JSON');
    expect(parseJson('['.repeat(100_000) + ']'.repeat(100_000)).fault).toBeNull();
  });
});
