// What a file of lines is, by its first ones.

import { isSeparator, readAuditLine } from './audit/record.ts';
import { afterByteOrderMark } from './input/lines.ts';
import { readAttached, readStraceLine, undatedKind } from './strace/line.ts';

/** `trace`: what a tracing instance of the kernel prints; nothing here reads it. */
export type TextKind = 'tracee' | 'audit' | 'strace' | 'trace';

/** Programs may have said something before what they were asked for. */
const LINES = 50;
const MAX_LINE = 4096;

/** @param head of the file; the more, the surer */
export function textKindOf(head: Uint8Array): TextKind | undefined {
  const text = Buffer.from(head.subarray(afterByteOrderMark(head, 0, head.length))).toString('latin1');
  for (const line of text.split(/\r?\n/, LINES)) {
    const kind = kindOf(line.slice(0, MAX_LINE));
    if (kind !== undefined) return kind;
  }
  return undefined;
}

function kindOf(line: string): TextKind | undefined {
  if (line.startsWith('{')) return 'tracee';
  if (isSeparator(line) || readAuditLine(line) !== 'not-audit') return 'audit';
  if (line.startsWith('# tracer:')) return 'trace';
  const isStrace =
    readStraceLine(line) !== undefined || readAttached(line) !== undefined || undatedKind(line) !== undefined;
  return isStrace ? 'strace' : undefined;
}
