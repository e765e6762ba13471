// Arguments of calls as strace writes them: texts in quotes with escapes of C,
// lists in brackets, flags by name. What strace has cut keeps the three dots that
// it wrote instead.

import { CLONE } from '@dendro/protocol';
import { kernelText } from '../tracefs/kernel-text.ts';
import { SIGNALS } from './signals.ts';

export interface QuotedText {
  readonly text: string;
  /** Did strace cut it? Then `text` ends with three dots. */
  readonly isCut: boolean;
  /** Where the text goes on behind it. */
  readonly end: number;
}

const CUT = '...';
const LETTERS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8, e: 27 };
const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))/gs;
/** The kernel takes no more arguments than fit into some megabytes; a line is shorter than that. */
const MAX_ARGUMENTS = 1_000_000;

/** The text in quotes that begins at `at`. */
export function readQuoted(args: string, at: number): QuotedText | undefined {
  if (args[at] !== '"') return undefined;
  const close = closingQuote(args, at + 1);
  if (close < 0) return undefined;
  const isCut = args.startsWith(CUT, close + 1);
  const text = unescaped(args.slice(at + 1, close));
  return { text: isCut ? text + CUT : text, isCut, end: close + 1 + (isCut ? CUT.length : 0) };
}

function closingQuote(args: string, from: number): number {
  for (let at = from; at < args.length; at++) {
    if (args[at] === '\\') at++;
    else if (args[at] === '"') return at;
  }
  return -1;
}

function unescaped(quoted: string): string {
  const bytes = quoted.includes('\\')
    ? quoted.replace(ESCAPE, (_, octal?: string, hex?: string, letter = '') => {
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        const code = LETTERS[letter];
        return code === undefined ? letter : String.fromCharCode(code);
      })
    : quoted;
  const buffer = Buffer.from(bytes, 'latin1');
  return kernelText(buffer, 0, buffer.length);
}

/** The file of a descriptor, where strace writes it behind the number: `3</srv/a>`. */
export function readFolderOf(args: string): QuotedText | undefined {
  const [all = '', path = ''] = /^\d{1,10}<(\/.*)>$/s.exec(args.trim()) ?? [];
  return path === '' ? undefined : { text: unescaped(path), isCut: false, end: all.length };
}

export interface QuotedList {
  readonly texts: readonly string[];
  /** Were texts cut or left out? Then the last says so with three dots. */
  readonly isCut: boolean;
}

/** The list that begins at `at`: `["ls", "-l"...]`. Undefined for an address, and for anything else. */
export function readList(args: string, at: number): QuotedList | undefined {
  if (args[at] !== '[') return undefined;
  const texts: string[] = [];
  let isCut = false;
  for (let next = at + 1; texts.length < MAX_ARGUMENTS; ) {
    if (args[next] === ']') return { texts, isCut };
    const item = readQuoted(args, next);
    if (item !== undefined) {
      texts.push(item.text);
      isCut ||= item.isCut;
      next = item.end;
    } else if (args.startsWith(CUT, next)) {
      texts.push(CUT);
      isCut = true;
      next += CUT.length;
    } else return undefined; // an address that could not be read
    if (args.startsWith(', ', next)) next += 2;
  }
  return undefined;
}

export interface ExecArguments {
  /** As the kernel names it: `/dev/fd/3` for a file without a path. */
  readonly filename: string;
  readonly argv: QuotedList | undefined;
}

const RENAME = /^(?:PR_SET_NAME|0xf(?: \/\* PR_SET_NAME \*\/)?), /;

/** prctl(PR_SET_NAME, NAME): undefined for what else prctl does; the name is undefined where it cannot be read. */
export function readRename(args: string): { readonly name: QuotedText | undefined } | undefined {
  const operation = RENAME.exec(args)?.[0];
  return operation === undefined ? undefined : { name: readQuoted(args, operation.length) };
}

const FOLDER = /^(AT_FDCWD|-?\d{1,10})(?:<[^"]{0,4096}?>(?:\(deleted\))?)?, /;

/** execve(PATH, ARGV, …), execveat(FOLDER, PATH, ARGV, …) */
export function readExec(name: string, args: string): ExecArguments | undefined {
  const folder = name === 'execveat' ? FOLDER.exec(args) : undefined;
  if (folder === null) return undefined;
  const path = readQuoted(args, folder?.[0].length ?? 0);
  if (path === undefined || !args.startsWith(', ', path.end)) return undefined;
  return { filename: filenameIn(folder?.[1], path.text), argv: readList(args, path.end + 2) };
}

function filenameIn(folder: string | undefined, path: string): string {
  if (folder === undefined || folder === 'AT_FDCWD' || path.startsWith('/')) return path;
  return path === '' ? `/dev/fd/${folder}` : `/dev/fd/${folder}/${path}`;
}

const FLAGS = /\bflags=([A-Z_0-9a-fx|]+)/;
const COMMENT = / \/\*.{0,1024}?\*\//g;
const MAX_FLAGS = 4096;
const NEW_PID_NS = 0x20000000;
const FLAG_NAMES: Readonly<Record<string, number>> = {
  CLONE_VM: CLONE.vm,
  CLONE_PARENT: CLONE.parent,
  CLONE_THREAD: CLONE.thread,
  CLONE_VFORK: CLONE.vfork,
  CLONE_UNTRACED: CLONE.untraced,
  CLONE_NEWPID: NEW_PID_NS,
};

/** Flags of a birth; those that the tree asks for. Undefined where they cannot be read. */
export function readCloneFlags(name: string, args: string): number | undefined {
  if (name === 'fork') return 0;
  if (name === 'vfork') return CLONE.vfork | CLONE.vm;
  const flags = FLAGS.exec(args)?.[1];
  return flags === undefined ? undefined : flagsOf(flags);
}

/** Names, or numbers, which -X verbose explains in a comment. */
export function flagsOf(text: string): number {
  let flags = 0;
  for (const name of text.slice(0, MAX_FLAGS).replace(COMMENT, '').split('|', 64))
    flags |= FLAG_NAMES[name] ?? (/^0x[0-9a-f]{1,8}$/.test(name) ? Number(name) : 0);
  return flags >>> 0;
}

export function entersPidNs(flags: number): boolean {
  return (flags & NEW_PID_NS) !== 0;
}

const REALTIME = /^SIG(?:RT_|RTMIN\+?)(\d{1,2})?$/;
const FIRST_REALTIME = 32;

export function signalNumber(name: string): number | undefined {
  const number = SIGNALS.get(name);
  if (number !== undefined) return number;
  const match = REALTIME.exec(name);
  return match === null ? undefined : FIRST_REALTIME + Number(match[1] ?? 0);
}
