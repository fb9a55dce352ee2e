/** What the check of a run cannot see, in words: what is believed where nothing is drawn again, and what is in any case. */
import type { Certificate } from '@turnproof/certify';
import { wgslSha256 } from '@turnproof/shaders';
import { restsOnCalibration } from './kept-calibration.ts';
import type { RunConfig } from './run-config.ts';

export interface Trusted {
  /** After «taken on trust:». */
  readonly what: string;
  /** Would drawing a line again show that it is not so? */
  readonly shownByReplay: boolean;
}

/** Of a calibration whose figures follow from its counts. */
export const CALIBRATION_TRUST: readonly Trusted[] = [
  replayed("that the errors of the calibration's images were bounded as it says, for β drawn from its seed"),
  never(
    'that its images are independent draws from the distribution, none was left out, and E and ρ_E were not chosen by its outcome',
  ),
];

/** What is taken on trust where these certificates follow from their counts and agree with their run. */
export function onTrust(certificates: Iterable<Certificate>, config: RunConfig | null): Trusted[] {
  const all = [...certificates];
  const some = (holds: (certificate: Certificate) => boolean) => all.some(holds);
  const kernels = new Set(all.map(({ shaders }) => shaders.sha256).filter((hash) => hash !== wgslSha256));
  const list: (Trusted | false)[] = [
    replayed('that samples and β were drawn from the seed, for the model, image and label that are named'),
    some((certificate) => certificate.method !== 'base') &&
      replayed('that E, M and the errors of β were bounded for them'),
    ...(some(restsOnCalibration) ? CALIBRATION_TRUST : []),
    some(({ lattice }) => lattice === undefined) &&
      never(
        'that float32 noise was as good as normal: some lines are of an earlier version, which drew it, and cannot be drawn again',
      ),
    kernels.size > 0 &&
      never(
        `that the kernels ${[...kernels].map((hash) => hash.slice(0, 12)).join(', ')} are turnproof's: they are not those of ` +
          'this version, which cannot draw with them again',
      ),
    config === null && never('what the run was asked for: there is no config.json beside the certificates'),
    config !== null && never('that the images, the seed and the plan of config.json were chosen beforehand'),
  ];
  return list.filter((entry) => entry !== false);
}

/** One line for people. */
export function trustWords(trusted: readonly Trusted[]): string {
  const listed = (shown: boolean) =>
    trusted
      .filter(({ shownByReplay }) => shownByReplay === shown)
      .map(({ what }) => what)
      .join('; ');
  const [drawn, never] = [listed(true), listed(false)];
  return `taken on trust: ${drawn} (--replay draws these again)${never === '' ? '' : `; ${never}`}`;
}

function replayed(what: string): Trusted {
  return { what, shownByReplay: true };
}

function never(what: string): Trusted {
  return { what, shownByReplay: false };
}
