/** What a bad or odd input of bad-inputs.ts is. */

export interface Case {
  readonly what: string;
  readonly args: readonly string[];
  /** Statuses that are right; 2 alone where absent. */
  readonly codes?: readonly number[];
  /** Run as a user without rights; only root can. */
  readonly as?: 'nobody';
  /** The working folder may not be written. */
  readonly readOnly?: boolean;
  /** Words for sh that run the program as "$@"; only root mounts. */
  readonly shell?: string;
  readonly needsRoot?: boolean;
}

/** Options of a run on 4 x 4 grey images that would be fine, with some changed; null leaves one out. */
export function certifyWith(inputs: string, changes: Readonly<Record<string, string | null>>): string[] {
  const good: Record<string, string | null> = {
    data: `mnist:${inputs}/mnist`,
    model: `${inputs}/model.onnx`,
    transform: 'rotation',
    range: '3',
    limit: '1',
    out: 'run',
  };
  const options = Object.entries({ ...good, ...changes });
  return ['certify', ...options.flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]))];
}
