/** JSON that somebody else may have written. What is in it is for others to judge. */

/** What a text says, or why it says nothing: it is no JSON, or gives one name two values, of which readers see one each. */
export type ParsedJson =
  | { readonly content: unknown; readonly fault: null }
  | { readonly content: undefined; readonly fault: string };

export function parseJson(text: string): ParsedJson {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { content: undefined, fault: 'is no JSON' };
  }
  const doubled = doubledKey(text);
  return doubled === null
    ? { content, fault: null }
    : { content: undefined, fault: `has two values for «${doubled}»` };
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** The first key that an object of a text has twice; null where none has. The text must be JSON. */
function doubledKey(text: string): string | null {
  // Of the objects that are open, the keys; null for an array.
  const open: (Set<string> | null)[] = [];
  let word: string | undefined;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && word !== undefined) {
      // As it is read: «\u0061» is «a».
      const key: string = JSON.parse(word);
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    word = token.startsWith('"') ? token : undefined;
  }
  return null;
}
