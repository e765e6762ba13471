// The fields of a task by the names that people read, and their values as text.

import { FIELDS, type FieldName, type FieldValue, type FileInfo } from '@dendro/protocol';
import { commandLine } from './printable.ts';

export const FIELD_TITLES: Readonly<Record<FieldName, string>> = {
  parent: 'Parent',
  comm: 'Name',
  executable: 'Executable',
  argv: 'Arguments',
  cwd: 'Directory',
  interpreter: 'Interpreter',
  interp: 'Interpreter as named',
  uid: 'User',
  gid: 'Group',
  nsTid: 'NS TID',
  nsPid: 'NS PID',
  pidNs: 'PID namespace',
  container: 'Container',
  euid: 'Effective user',
  egid: 'Effective group',
};

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

/** In one line; what cannot be seen in it is not written out yet. */
export function fieldText(
  field: Exclude<FieldName, 'parent'>,
  value: FieldValue,
  users: Readonly<Record<string, string>>,
): string {
  if (value === undefined) return 'not known';
  if (field === 'uid' || field === 'euid') return userText(Number(value), users);
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : commandLine(value as readonly string[]);
  if (field === 'executable' || field === 'interpreter') return (value as FileInfo).path;
  if (field === 'container' && value === '') return 'none: on the host';
  return String(value) === '' ? '(empty)' : String(value);
}

/** `1000 (deploy)` */
export function userText(uid: number, users: Readonly<Record<string, string>>): string {
  const name = users[String(uid)];
  return name === undefined ? String(uid) : `${uid} (${name})`;
}

/** `major:minor`, as Linux packs them into 32 bits. */
export function deviceText(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}

/** By the upper four bits: pipe, character device, folder, block device, file, link, socket. */
const KINDS = '?pc?d?b?-?l?s';

/** `-rwsr-xr-x (4755)`, as ls writes it. */
export function modeText(mode: number): string {
  const bits = [6, 3, 0].map((shift, i) => {
    const three = (mode >> shift) & 7;
    const special = (mode >> (11 - i)) & 1;
    const letter = i === 2 ? 't' : 's';
    const last = special ? ((three & 1) !== 0 ? letter : letter.toUpperCase()) : (three & 1) !== 0 ? 'x' : '-';
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${last}`;
  });
  return `${KINDS[(mode >> 12) & 0xf] ?? '?'}${bits.join('')} (${(mode & 0o7777).toString(8)})`;
}
