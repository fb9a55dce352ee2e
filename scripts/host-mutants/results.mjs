/** What became of mutants, in words. */

export const keyOf = ({ mutatorName, replacement, location: { start } }) =>
  `${mutatorName} ${start.line}:${start.column} ${replacement}`;

const count = (mutants, ...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;

/** A line for each file, and its survivors. */
export function summary(results) {
  return results
    .flatMap(({ file, mutants }) => [
      `${file}: ${mutants.length} mutants, ${count(mutants, 'Killed', 'Timeout', 'RuntimeError')} killed, ${count(mutants, 'Survived')} survived, ${count(mutants, 'NoCoverage')} not covered`,
      ...mutants
        .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
        .sort((a, b) => a.location.start.line - b.location.start.line)
        .map(
          ({ mutatorName, replacement, location, status }) =>
            `  ${location.start.line}:${location.start.column}-${location.end.line}:${location.end.column} ${status} ${mutatorName} ${replacement.replace(/\s+/g, ' ').slice(0, 120)}`,
        ),
    ])
    .join('\n');
}
