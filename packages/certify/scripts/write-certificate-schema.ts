/** Writes schema/certificate.schema.json from the zod schema. Run it after changing certificate/schema.ts. */
import { mkdir, writeFile } from 'node:fs/promises';
import { certificateJsonSchema } from '../src/certificate/schema.ts';

const file = new URL('../schema/certificate.schema.json', import.meta.url);
await mkdir(new URL('.', file), { recursive: true });
await writeFile(file, `${JSON.stringify(certificateJsonSchema(), null, 2)}\n`);
