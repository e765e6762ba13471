// What an event of execve tells of the new program: arguments out of EXECVE
// records, files out of PATH records.

import type { FileInfo } from '@dendro/protocol';
import { kernelText } from '../tracefs/kernel-text.ts';
import type { AuditEvent } from './event-join.ts';
import { type Fields, hexField, numberField, textBytes, textField } from './record.ts';

/** The kernel logs so many bytes of a title, and less what is not printable at the end: one that is near to it may be cut. */
const WHOLE_TITLE_BYTES = 120;
const ARGUMENT = /^a(\d{1,7})(?:\[(\d{1,7})\])?$/;
const NUL = 0;

/** Undefined when they are not told, or not all. */
export function argumentsOf({ execve, proctitle }: AuditEvent): readonly string[] | undefined {
  return fromExecve(execve) ?? fromTitle(proctitle);
}

// argc=3 a0="ls" a1=2D6C20 a2_len=9000 a2[0]="…" a2[1]="…", over as many records as it takes.
function fromExecve(records: readonly Fields[]): readonly string[] | undefined {
  const count = records.map((fields) => numberField(fields.get('argc'))).find((argc) => argc !== undefined);
  if (count === undefined) return undefined;
  const parts = new Map<number, Buffer[]>();
  for (const fields of records) {
    for (const [key, value] of fields) {
      const [, index, part] = ARGUMENT.exec(key) ?? [];
      const bytes = index === undefined ? undefined : textBytes(value);
      if (bytes === undefined) continue;
      const argument = parts.get(Number(index)) ?? [];
      if (Number(part ?? 0) !== argument.length) return undefined; // a part is missing
      argument.push(bytes);
      parts.set(Number(index), argument);
    }
  }
  if (parts.size !== count) return undefined;
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const argument = parts.get(i);
    if (argument === undefined) return undefined;
    const bytes = Buffer.concat(argument);
    texts.push(kernelText(bytes, 0, bytes.length));
  }
  return texts;
}

function fromTitle(fields: Fields | undefined): readonly string[] | undefined {
  const title = textBytes(fields?.get('proctitle'));
  if (title === undefined || title.length > WHOLE_TITLE_BYTES) return undefined;
  const texts: string[] = [];
  for (let from = 0; from <= title.length; ) {
    const nul = title.indexOf(NUL, from);
    const end = nul < 0 ? title.length : nul;
    texts.push(kernelText(title, from, end));
    from = end + 1;
  }
  return texts;
}

export interface ProgramFiles {
  /** As it was passed: perhaps relative, perhaps a script. */
  readonly filename: string | undefined;
  readonly executable: FileInfo | undefined;
  /** The loader of a dynamic program. */
  readonly interpreter: FileInfo | undefined;
  /** What interprets a script. */
  readonly interp: string | undefined;
}

const LOADER = /\/ld(?:64|-linux|-musl|-uClibc|-)?[^/]*\.so[^/]*$/;
const MAX_ITEMS = 16;

/** PATH records in order: the file that was passed, what interprets it (each for the one before), the loader. */
export function filesOf({ paths }: AuditEvent, exe: string | undefined): ProgramFiles {
  const files = paths
    .map((fields) => ({ item: numberField(fields.get('item')) ?? MAX_ITEMS, file: fileOf(fields) }))
    .sort((a, b) => a.item - b.item)
    .slice(0, MAX_ITEMS)
    .map(({ file }) => file);
  const last = files.at(-1);
  const hasLoader = files.length > 1 && last !== undefined && LOADER.test(last.path);
  const programs = hasLoader ? files.slice(0, -1) : files;
  const program = programs.at(-1);
  return {
    filename: files[0]?.path || undefined,
    executable: exe === undefined ? undefined : { ...program, path: exe },
    interpreter: hasLoader ? last : undefined,
    interp: programs.length > 1 ? program?.path || undefined : undefined,
  };
}

function fileOf(fields: Fields): FileInfo {
  const inode = fields.get('inode') ?? '';
  const mode = fields.get('mode') ?? '';
  return {
    path: textField(fields.get('name')) ?? '',
    device: deviceOf(fields.get('dev')),
    inode: /^\d{1,20}$/.test(inode) ? inode : undefined,
    mode: /^[0-7]{1,7}$/.test(mode) ? Number.parseInt(mode, 8) : undefined,
  };
}

/** `fd:00`, as the number that stat(2) gives. */
function deviceOf(text = ''): number | undefined {
  const [major, minor] = text.split(':', 2).map((part) => hexField(part));
  if (major === undefined || minor === undefined || major > 0xfff || minor > 0xfffff) return undefined;
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}
