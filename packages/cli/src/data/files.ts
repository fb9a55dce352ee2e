/**
 * Reading files so that whatever is wrong with them becomes one bad-input error with the file's name.
 * Not for formats: nothing here knows what the bytes mean.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { badInput, TurnproofError } from '@turnproof/core';

/** What is at a path. Pipes, sockets and devices are 'other': opening one may wait for ever. */
export type PathKind = 'file' | 'folder' | 'other' | 'missing';

/** Largest file that is unpacked in memory, in bytes; larger ones have to be unpacked on disk. */
export const MAX_UNPACKED = 2 ** 30;
// Deflate cannot do better than 1032 to 1 (a 258-byte match for two bits).
const MAX_DEFLATE_RATIO = 1032;

/** What is at `path`, links followed. */
export async function pathKind(path: string): Promise<PathKind> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return 'missing';
    throw unreadable(path, error);
  }
}

/** Size in bytes of the regular file at `path`; anything else there is refused. */
export async function fileSize(path: string): Promise<number> {
  const kind = await pathKind(path);
  if (kind === 'missing') throw badInput(`${path}: no such file`, 'Check the path.');
  if (kind === 'folder') throw badInput(`${path}: is a folder, not a file`, 'Name a file.');
  if (kind === 'other') throw badInput(`${path}: is not a regular file`, 'Name a regular file.');
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Refuses anything but a folder at `path`. */
export async function requireFolder(path: string): Promise<void> {
  const kind = await pathKind(path);
  if (kind === 'missing') throw badInput(`${path}: no such folder`, 'Check the path.');
  if (kind !== 'folder') throw badInput(`${path}: is not a folder`, 'Name the folder that holds the files.');
}

/** The names in a folder, hidden ones (leading dot) left out, in the order of their code points on every system. */
export async function listFolder(path: string): Promise<string[]> {
  await requireFolder(path);
  try {
    const names = (await readdir(path)).filter((name) => !name.startsWith('.'));
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Runs `use` with the file open for reading and closes it whatever happens. */
export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** Exactly `length` bytes from `position`; a file that ends before is refused. */
export async function readFrom(
  handle: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(buffer, done, length - done, position + done));
    } catch (error) {
      throw unreadable(path, error);
    }
    if (bytesRead === 0) throw endsEarly(path, position + length, position + done);
    done += bytesRead;
  }
  return buffer;
}

/** `readFrom` for a file that is not open yet. */
export async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  return withFile(path, (handle) => readFrom(handle, path, position, length));
}

/** Shows [start, end) of a file to `visit` in pieces of at most `piece` bytes, so that size is no matter. */
export async function scanFile(
  path: string,
  start: number,
  end: number,
  piece: number,
  visit: (bytes: Buffer, position: number) => void,
): Promise<void> {
  await withFile(path, async (handle) => {
    for (let at = start; at < end; at += piece) {
      visit(await readFrom(handle, path, at, Math.min(piece, end - at)), at);
    }
  });
}

/**
 * The unpacked bytes of a gzip file.
 *
 * @param headLength bytes that `declaredSize` needs.
 * @param declaredSize size in bytes that the unpacked file must have, read from its own first bytes; checked before
 *   anything of that size is held.
 * @throws TurnproofError 'bad-input' when the file is no gzip file, is cut, damaged or followed by other bytes, or
 *   when its content is not exactly as long as declared.
 */
export async function gunzipFile(
  path: string,
  headLength: number,
  declaredSize: (head: Buffer) => number,
): Promise<Buffer> {
  const packedSize = await fileSize(path);
  if (packedSize > MAX_UNPACKED) throw tooLargeToUnpack(path, packedSize);
  const packed = await readAt(path, 0, packedSize);
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) {
    throw badInput(
      `${path}: is no gzip file`,
      'Take the .gz off its name if it is unpacked, or fetch it again.',
    );
  }
  const gunzip = createGunzip();
  gunzip.end(packed);
  const pieces: Buffer[] = [];
  let length = 0;
  let expected: number | null = null;
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (expected === null && length >= headLength) {
        expected = declaredSize(Buffer.concat(pieces));
        if (expected > packedSize * MAX_DEFLATE_RATIO) {
          throw badInput(
            `${path}: its header declares ${expected} bytes, more than ${packedSize} packed bytes can hold`,
            'The file is cut or its header is damaged: fetch it again.',
          );
        }
        if (expected > MAX_UNPACKED) throw tooLargeToUnpack(path, expected);
      }
      if (expected !== null && length > expected) throw tooLong(path, expected);
    }
  } catch (error) {
    if (error instanceof TurnproofError) throw error;
    throw badInput(
      codeOf(error) === 'Z_BUF_ERROR'
        ? `${path}: ends early, the gzip file is cut`
        : `${path}: is a damaged gzip file (${error instanceof Error ? error.message : String(error)})`,
      'Fetch it again.',
    );
  }
  if (expected === null) throw endsEarly(path, headLength, length);
  if (length < expected) throw endsEarly(path, expected, length);
  // Node stops at the end of the last member and says nothing about what follows it.
  if (gunzip.bytesWritten !== packedSize) {
    throw badInput(
      `${path}: has ${packedSize - gunzip.bytesWritten} bytes after the end of its gzip data`,
      'Fetch it again.',
    );
  }
  return Buffer.concat(pieces, length);
}

/** Refuses a file whose size is not the one that its header declares. */
export function requireSize(path: string, expected: number, actual: number): void {
  if (actual < expected) throw endsEarly(path, expected, actual);
  if (actual > expected) throw tooLong(path, expected, actual);
}

function endsEarly(path: string, expected: number, actual: number): TurnproofError {
  return badInput(
    `${path}: ends early, at byte ${actual} of the ${expected} that it should have`,
    'The file is cut or its header is damaged: fetch it again.',
  );
}

function tooLong(path: string, expected: number, actual?: number): TurnproofError {
  return badInput(
    `${path}: is longer than the ${expected} bytes that its header declares${actual === undefined ? '' : ` (${actual})`}`,
    'Its header is damaged or other bytes follow the data: fetch it again.',
  );
}

function tooLargeToUnpack(path: string, size: number): TurnproofError {
  return badInput(
    `${path}: ${size} bytes are too many to unpack in memory (at most ${MAX_UNPACKED})`,
    'Unpack it with gunzip first.',
  );
}

function unreadable(path: string, error: unknown): TurnproofError {
  const code = codeOf(error);
  const why = code === 'EACCES' || code === 'EPERM' ? 'no permission to read it' : `cannot be read (${code})`;
  return badInput(`${path}: ${why}`, 'Check the path and its permissions.');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error);
}
