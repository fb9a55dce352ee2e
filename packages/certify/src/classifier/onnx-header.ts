/**
 * The outermost layer of an ONNX file: is it one, is it whole, which operator set does it ask for?
 *
 * onnxruntime answers every damaged file with «protobuf parsing failed»; this walk over the top-level fields says
 * what is wrong and at which byte. Not a parser of the graph: names, types and shapes come from onnxruntime.
 */
import { badInput } from '@turnproof/core';

export interface OnnxHeader {
  readonly irVersion: number | undefined;
  /** Version of the default operator set (domain '' or 'ai.onnx'). */
  readonly opset: number | undefined;
}

const EXPORT_FIX = 'export the model again, for example with torch.onnx.export, and copy it in binary mode';

/** Field numbers of ModelProto and OperatorSetIdProto (onnx.proto). */
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
const OPERATOR_SET = { domain: 1, version: 2 } as const;

type Field =
  | { readonly number: number; readonly kind: 'integer'; readonly value: number }
  | { readonly number: number; readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly number: number; readonly kind: 'fixed' };

/** The fields of one protobuf message. Throws a sentence with a byte offset where the bytes make no sense. */
function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const integer = (): number => {
    // Beyond 2^53 a value is only ever compared or skipped, so rounding does no harm.
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined) throw new Error(`it ends at byte ${bytes.length}, inside a number`);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error(`byte ${at}: a number longer than protobuf allows`);
  };
  while (at < bytes.length) {
    const start = at;
    const key = integer();
    const number = Math.floor(key / 8);
    if (number === 0) throw new Error(`byte ${start}: field number 0`);
    switch (key % 8) {
      case 0:
        yield { number, kind: 'integer', value: integer() };
        break;
      case 2: {
        const length = integer();
        if (at + length > bytes.length) {
          throw new Error(
            `the field at byte ${start} needs ${length} bytes, of which ${bytes.length - at} are there`,
          );
        }
        yield { number, kind: 'bytes', value: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      case 1:
      case 5:
        at += key % 8 === 1 ? 8 : 4;
        if (at > bytes.length) throw new Error(`it ends at byte ${bytes.length}, inside a number`);
        yield { number, kind: 'fixed' };
        break;
      default:
        throw new Error(`byte ${start}: no protobuf field starts like this`);
    }
  }
}

/**
 * @param file name for the messages
 * @throws TurnproofError `bad-input` when the bytes are not a whole ONNX model
 */
export function readOnnxHeader(file: string, bytes: Uint8Array): OnnxHeader {
  if (bytes.length === 0) throw badInput(`${file}: the file is empty`, EXPORT_FIX);
  let irVersion: number | undefined;
  let opset: number | undefined;
  let hasGraph = false;
  try {
    for (const field of fields(bytes)) {
      if (field.number === MODEL.irVersion && field.kind === 'integer') irVersion = field.value;
      if (field.number === MODEL.graph && field.kind === 'bytes') hasGraph = true;
      if (field.number === MODEL.opsetImport && field.kind === 'bytes') {
        opset = defaultOpset(field.value) ?? opset;
      }
    }
  } catch (error) {
    const where = error instanceof Error ? error.message : String(error);
    throw badInput(`${file}: not an ONNX model, or a truncated one: ${where}`, EXPORT_FIX);
  }
  if (!hasGraph) throw badInput(`${file}: not an ONNX model: it holds no graph`, EXPORT_FIX);
  return { irVersion, opset };
}

function defaultOpset(bytes: Uint8Array): number | undefined {
  let domain = '';
  let version: number | undefined;
  for (const field of fields(bytes)) {
    if (field.number === OPERATOR_SET.domain && field.kind === 'bytes') {
      domain = new TextDecoder().decode(field.value);
    }
    if (field.number === OPERATOR_SET.version && field.kind === 'integer') version = field.value;
  }
  return domain === '' || domain === 'ai.onnx' ? version : undefined;
}
