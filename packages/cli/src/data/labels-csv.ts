/**
 * `--labels FILE.csv`: which images of a folder are taken, in which order, and what they show. Columns «file» (below the
 * folder) and «label», separated by commas, semicolons or tabs; labels are numbers throughout, or names throughout
 * (class-words.ts).
 */
import { badInput } from '@turnproof/core';
import { CsvError, parse } from 'csv-parse/sync';
import { type NamedClass, namedClasses, readClassWords } from './class-words.ts';
import { fileSize, readAt } from './files.ts';

export interface LabelledFile {
  /** Below the folder, with forward slashes. */
  readonly name: string;
  readonly label: number;
}

export interface Labels {
  /** null where the labels are numbers. */
  readonly classes: readonly string[] | null;
  readonly named: readonly NamedClass[];
  readonly files: readonly LabelledFile[];
}

const MAX_BYTES = 2 ** 26;
const FIX =
  'Write a line «file,label», then a line for each image, such as «cats/1.png,cat» or «0001.png,3».';

/** @throws TurnproofError 'bad-input' naming the file and, where there is one, the line */
export async function readLabelsCsv(path: string): Promise<Labels> {
  const size = await fileSize(path);
  if (size > MAX_BYTES) {
    throw badInput(`${path}: has ${size} bytes, more than the ${MAX_BYTES} that are read`, FIX);
  }
  return parseLabelsCsv(path, await readAt(path, 0, size));
}

export function parseLabelsCsv(path: string, bytes: Buffer): Labels {
  const rows = readRows(path, bytes);
  const lines = new Map<string, number>();
  for (const { file, line } of rows) {
    checkName(path, file, line);
    const before = lines.get(file);
    if (before !== undefined) {
      throw badInput(
        `${path}: line ${line} names ${shown(file)} again, after line ${before}`,
        'Name each once.',
      );
    }
    lines.set(file, line);
  }
  if (rows.length === 0) throw badInput(`${path}: names no images`, FIX);
  const words = rows.map(({ label, line }) => ({ word: label, where: ` (line ${line})` }));
  const { names, numberOf } = readClassWords(path, words, 'refused');
  return {
    classes: names,
    named: namedClasses(numberOf).sort((a, b) => a.number - b.number),
    files: rows.map(({ file, label }) => ({ name: file, label: numberOf.get(label) ?? 0 })),
  };
}

const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);

interface Row {
  readonly file: string;
  readonly label: string;
  readonly line: number;
}

function readRows(path: string, bytes: Buffer): Row[] {
  let records: string[][];
  const starts: number[] = [];
  try {
    records = parse(bytes, {
      bom: true,
      delimiter: delimiterOf(bytes),
      skip_empty_lines: true,
      trim: true,
      max_record_size: 65_536,
      on_record: (record: string[], { lines }) => {
        starts.push(lines);
        return record;
      },
    });
  } catch (error) {
    const words = error instanceof CsvError || error instanceof Error ? error.message : String(error);
    throw badInput(`${path}: no CSV: ${words.split('\n')[0]?.slice(0, 160)}`, FIX);
  }
  const [header = []] = records;
  const file = header.indexOf('file');
  const label = header.indexOf('label');
  if (file < 0 || label < 0) {
    throw badInput(`${path}: its first line names no columns «file» and «label»`, FIX);
  }
  return records
    .slice(1)
    .map((record, i) => ({ file: record[file] ?? '', label: record[label] ?? '', line: starts[i + 1] ?? 0 }));
}

/** By the first line: spreadsheets write semicolons where the comma is the decimal point, and tabs. */
function delimiterOf(bytes: Buffer): string {
  const end = bytes.indexOf('\n');
  const first = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  return [';', '\t'].find((delimiter) => first.includes(delimiter)) ?? ',';
}

/** A name in a CSV is untrusted: it stays below the folder. */
function checkName(path: string, name: string, line: number): void {
  const parts = name.split('/');
  const outside = parts.some((part) => part === '..' || part === '') || /^[a-z]:/i.test(name);
  if (outside || name.includes('\\') || name.includes('\0')) {
    throw badInput(
      `${path}: line ${line} names ${shown(name)}, which is no plain path below the folder`,
      'Write paths below the folder, with forward slashes.',
    );
  }
}
