// Where the histories of the further hosts of a feed are kept: a folder each beside that of the first, with a word on whose it is.
//
//   DIR/history.db            the first host, or the only one
//   DIR/host.json             its name, where a feed has said it
//   DIR/hosts/ID/history.db   another one; ID is made of its name, as in addresses
//   DIR/hosts/ID/host.json    its name, and what its times count from
//
// Names come from outside: none leads out of the folder, and no two have the same one.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_HOST_NAME } from '@dendro/sources';
import { hostIdOf } from '../tree-worker/host-id.ts';

export interface FolderHost {
  readonly name: string;
  /** What its times count from, epoch nanoseconds; 0 of the first host, which knows it otherwise. */
  readonly baseEpochNs: bigint;
}

export interface HostFolder extends FolderHost {
  readonly directory: string;
  /** When something was written last, in milliseconds since the epoch. */
  readonly changedMs: number;
}

const HOSTS = 'hosts';
const NOTE = 'host.json';
/** Names of files have 255 bytes at most. */
const MAX_ID = 150;
const MAX_NOTE_BYTES = 4096;

export function folderOf(root: string, name: string): string {
  const id = hostIdOf(name);
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
  return join(root, HOSTS, id.length <= MAX_ID ? id : `${id.slice(0, MAX_ID)}~~${hash}`);
}

/** The newest first. What is no such folder is passed over. */
export function foldersIn(root: string): HostFolder[] {
  let names: string[];
  try {
    names = readdirSync(join(root, HOSTS));
  } catch {
    return []; // there has been no further host
  }
  const folders = names.flatMap((name) => {
    const directory = join(root, HOSTS, name);
    const host = hostIn(directory);
    // Who has put something of another name there wants something else.
    if (host === undefined || folderOf(root, host.name) !== directory) return [];
    return [{ ...host, directory, changedMs: changedMsOf(directory) }];
  });
  return folders.sort((a, b) => b.changedMs - a.changedMs);
}

/** Whose history a folder holds; undefined where it does not say that. */
export function hostIn(directory: string): FolderHost | undefined {
  try {
    const path = join(directory, NOTE);
    if (statSync(path).size > MAX_NOTE_BYTES) return undefined;
    const { name, baseEpochNs } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const isName = typeof name === 'string' && name !== '' && name.length <= MAX_HOST_NAME;
    const isTime = typeof baseEpochNs === 'string' && /^-?\d{1,19}$/.test(baseEpochNs);
    return isName && isTime ? { name, baseEpochNs: BigInt(baseEpochNs) } : undefined;
  } catch {
    return undefined; // no word on it, or none that can be read
  }
}

/** @throws Error what the disk says */
export function noteHost(directory: string, { name, baseEpochNs }: FolderHost): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, NOTE);
  writeFileSync(`${path}.new`, `${JSON.stringify({ name, baseEpochNs: String(baseEpochNs) })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeFolder({ directory }: HostFolder): void {
  rmSync(directory, { recursive: true, force: true });
}

function changedMsOf(directory: string): number {
  return Math.max(0, ...readdirSync(directory).map((name) => statSync(join(directory, name)).mtimeMs));
}
