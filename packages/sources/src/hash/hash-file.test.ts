// On real processes and files.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileHasher, type SeenFile } from './hash-file.ts';

const MIB = 1024 * 1024;
const NOBODY = 4_194_303;
const SHA256 = createHash('sha256').update(readFileSync('/bin/sleep')).digest('hex');
const hasher = new FileHasher(64 * MIB);
let folder: string;
let program: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-hash-'));
  program = join(folder, 'sleeper');
  copyFileSync('/bin/sleep', program);
});
afterEach(async () => {
  if (child?.kill('SIGKILL')) await once(child, 'exit');
  child = undefined;
  rmSync(folder, { recursive: true });
});

function see(path: string, pid = NOBODY): SeenFile {
  const { dev, ino, ctimeNs } = statSync(path, { bigint: true });
  return { pid, path, device: Number(dev), inode: String(ino), ctime: String(ctimeNs) };
}

async function run(): Promise<SeenFile> {
  child = spawn(program, ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return see(`/proc/${child.pid}/exe`, child.pid);
}

test('the program of a process is hashed through the process, also when its file was deleted', async () => {
  await run();
  rmSync(program);
  expect(hasher.hash({ ...see(`/proc/${child?.pid}/exe`, child?.pid), path: program })).toEqual({ hash: SHA256 });
});

test('the program of a process that has gone is hashed by its path', () => {
  expect(hasher.hash(see(program))).toEqual({ hash: SHA256 });
});

test('another file under the same path is not taken for the one that was seen', () => {
  const seen = see(program);
  rmSync(program);
  copyFileSync('/bin/true', program);
  expect(hasher.hash(seen)).toEqual({ problem: 'gone' });
});

test('a file that was changed in the meantime has no hash', async () => {
  const seen = await run();
  chmodSync(program, 0o700);
  expect(hasher.hash({ ...seen, path: program })).toEqual({ problem: 'gone' });
});

test('a process that runs another program by now says nothing of the one that was seen', async () => {
  await run();
  const other = see('/bin/true', child?.pid);
  expect(hasher.hash({ ...other, path: '/nowhere' })).toEqual({ problem: 'gone' });
});

test('what is too large is not read', () => {
  expect(new FileHasher(1000).hash(see(program))).toEqual({ problem: 'too-large' });
});

test('what is no file is not opened, whatever its path', () => {
  expect(hasher.hash(see('/dev/null'))).toEqual({ problem: 'gone' });
  expect(hasher.hash(see(folder))).toEqual({ problem: 'gone' });
});

test('reading leaves no trace where that is allowed', () => {
  const before = statSync(program, { bigint: true }).atimeNs;
  expect(hasher.hash(see(program))).toEqual({ hash: SHA256 });
  expect(statSync(program, { bigint: true }).atimeNs).toBe(before);
});
