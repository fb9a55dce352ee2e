/**
 * Seeds every property test the same, so that a check of a change fails for that change only.
 * `TURNPROOF_FUZZ_SEED=$RANDOM npm test` looks elsewhere, and so does `npm run fuzz`; a failure prints its seed either way.
 */
import { configureGlobal } from 'fast-check';

const given = process.env.TURNPROOF_FUZZ_SEED ?? '20201206';
if (!/^\d{1,9}$/.test(given)) throw new Error(`TURNPROOF_FUZZ_SEED is "${given}": give a whole number`);
configureGlobal({ seed: Number(given) });
