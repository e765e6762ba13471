// Lines of /proc/PID/status. The name on its first line has its line breaks
// escaped, so no other line can be forged.

/** The fields behind a key; undefined when there is no such line. */
function fieldsOf(status: string, key: string): string[] | undefined {
  const from = status.indexOf(`\n${key}:\t`);
  if (from < 0) return undefined;
  const start = from + key.length + 3;
  const end = status.indexOf('\n', start);
  return status.slice(start, end < 0 ? undefined : end).split('\t');
}

export function numberAt(status: string, key: string, column: number): number | undefined {
  return toNumber(fieldsOf(status, key)?.[column]);
}

/** The ids in `NSpid` go from the outermost namespace to the innermost. */
export function lastNumber(status: string, key: string): number | undefined {
  return toNumber(fieldsOf(status, key)?.at(-1));
}

export function countOf(status: string, key: string): number {
  return fieldsOf(status, key)?.length ?? 0;
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^\d{1,10}$/.test(text) ? undefined : Number(text);
}
