// One line of a Linux audit log, as auditd writes it and `ausearch --raw` gives it:
//
//     node=HOST type=SYSCALL msg=audit(1700000000.123:4567): arch=c000003e syscall=59 … comm="ls" exe="/usr/bin/ls"␝ARCH=x86_64 …
//
// Behind the byte 0x1d are names for the numbers, which auditd adds
// (log_format = ENRICHED). A text that a process can choose is in quotes, or in
// hexadecimal when it has blanks, quotes or other bytes than printable ASCII:
// so nothing that it holds can be taken for a field.

import { kernelText } from '../tracefs/kernel-text.ts';

export type Fields = ReadonlyMap<string, string>;

export interface AuditRecord {
  readonly node: string | undefined;
  readonly type: string;
  readonly epochMs: number;
  /** The records of one event have it in common, and their time. */
  readonly serial: number;
  readonly fields: Fields;
  readonly sizeBytes: number;
}

export type LineReject = 'not-audit' | 'interpreted' | 'not-about-processes';

const HEAD =
  /^(?:node=(\S{1,256}) )?type=([A-Z_0-9]{1,32}|UNKNOWN\[\d{1,5}\]) msg=audit\((?:(\d{1,11})\.(\d{3}):(\d{1,15})|[^)]{1,64})\) ?: ?/;
/** Fields are read of these only. Others tell of sessions, services, rules and the like. */
const WANTED: ReadonlySet<string> = new Set(['SYSCALL', 'EXECVE', 'CWD', 'PATH', 'PROCTITLE', 'EOE', 'ANOM_ABEND']);

/** @param text one character for one byte */
export function readAuditLine(text: string): AuditRecord | LineReject {
  const match = HEAD.exec(text);
  if (match === null) return 'not-audit';
  const [head, node, type = '', seconds, ms, serial] = match;
  if (seconds === undefined) return 'interpreted'; // as ausearch -i writes it, in the language of its user
  if (!WANTED.has(type)) return 'not-about-processes';
  return {
    node,
    type,
    epochMs: Number(seconds) * 1000 + Number(ms),
    serial: Number(serial),
    fields: readFields(text, head.length),
    sizeBytes: text.length,
  };
}

/** A line that ausearch puts between events, and above each of them. */
export function isSeparator(text: string): boolean {
  return text === '----' || text.startsWith('time->');
}

function readFields(text: string, from: number): Fields {
  const fields = new Map<string, string>();
  for (let at = from; at < text.length; ) {
    const equals = text.indexOf('=', at);
    if (equals < 0) break;
    const key = lastWord(text.slice(at, equals));
    const end = endOfValue(text, equals + 1);
    // The first one counts: names that auditd adds are in capitals, and come last.
    if (!fields.has(key)) fields.set(key, text.slice(equals + 1, end));
    at = end + 1;
  }
  return fields;
}

function lastWord(text: string): string {
  return text.slice(text.lastIndexOf(' ') + 1);
}

function endOfValue(text: string, from: number): number {
  const quote = text[from];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, from + 1);
    return close < 0 ? text.length : close + 1;
  }
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x20 || code === 0x1d) return at;
  }
  return text.length;
}

/** The bytes of a text field; undefined where it is `(null)`, or nothing of the kind. */
export function textBytes(value: string | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  if (value.startsWith('"')) return Buffer.from(value.slice(1, value.endsWith('"') ? -1 : undefined), 'latin1');
  return value.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(value) ? Buffer.from(value, 'hex') : undefined;
}

export function textField(value: string | undefined): string | undefined {
  const bytes = textBytes(value);
  return bytes === undefined ? undefined : kernelText(bytes, 0, bytes.length);
}

/** A decimal number; undefined for anything else. */
export function numberField(value: string | undefined): number | undefined {
  return value !== undefined && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** The low 32 bits of a number in hexadecimal, which is all that is asked for here. */
export function hexField(value: string | undefined): number | undefined {
  return value !== undefined && /^[0-9a-f]{1,16}$/i.test(value) ? Number.parseInt(value.slice(-8), 16) : undefined;
}
