import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import type { EventNs, FileInfo, ObserveEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProgramHashes } from './program-hashes.ts';

const MIB = 1024 * 1024;
const SHA256 = createHash('sha256').update(readFileSync('/bin/sleep')).digest('hex');
let folder: string;
let program: string;
let told: ObserveEvent[];
let hashes: ProgramHashes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-hash-'));
  program = join(folder, 'sleeper');
  copyFileSync('/bin/sleep', program);
  told = [];
  hashes = new ProgramHashes({ maxBytes: MIB, onHashed: (seen) => told.push(seen) });
  hashes.start();
});
afterEach(async () => {
  await hashes.stop();
  rmSync(folder, { recursive: true });
});

function fileOf(path: string): FileInfo {
  const { dev, ino, ctimeNs, mode } = statSync(path, { bigint: true });
  return { path, device: Number(dev), inode: String(ino), ctime: String(ctimeNs), mode: Number(mode) };
}

/** A process that nobody has: its program is found by its path. */
function seen(at: number, path: string): ObserveEvent {
  const pid = 4_194_303;
  const executable = fileOf(path);
  return {
    type: 'observe',
    at: at as EventNs,
    tid: pid,
    pid,
    ppid: 1,
    start: 0 as EventNs,
    startIsTick: true,
    executable,
  };
}

test('a file is hashed once: it is told of anew for the first sightings, and later ones have the hash at once', async () => {
  const sightings = [seen(10, program), seen(20, program)];
  for (const event of sightings) expect(hashes.complete(event)).toBe(event);
  await expect.poll(() => told.length).toBe(2);
  for (const [i, { at, executable }] of told.entries()) {
    expect({ at, executable }).toEqual({ at: sightings[i]?.at, executable: { ...fileOf(program), hash: SHA256 } });
  }
  expect(hashes.complete(seen(30, program)).executable?.hash).toBe(SHA256);
  expect(hashes.counts).toMatchObject({ waiting: 0, done: 1 });
});

test('[FA2] the hash counts from when the file was seen, and changes nothing else', async () => {
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: 0n });
  const { pid } = seen(0, program);
  tree.apply({ type: 'exec', at: 5 as EventNs, pid, filename: './sleeper' });
  const without = seen(10, program);
  tree.apply(hashes.complete(without));
  await expect.poll(() => told.length).toBe(1);
  for (const event of told) {
    expect(tree.knows(event)).toBe(true);
    tree.apply(event);
  }
  tree.apply(without); // told again, late
  const task = tree.resolve({ pid }, 10 as EventNs);
  for (const at of [5, 10, 1000]) {
    expect(tree.tree.valueAt(task, 'executable', at as EventNs)).toMatchObject({ path: program, hash: SHA256 });
  }
  expect(tree.tree.changelogOf(task, 'executable')).toHaveLength(2); // as it was passed to exec, and as it was seen
});

test('what has no hash is counted by reason', async () => {
  const large = join(folder, 'large');
  writeFileSync(large, Buffer.alloc(MIB + 1));
  const gone = seen(2, program);
  rmSync(program);
  hashes.complete(seen(1, large));
  hashes.complete(gone);
  await expect.poll(() => hashes.counts.waiting).toBe(0);
  hashes.complete(seen(3, large)); // it is not looked at again
  expect(hashes.counts).toEqual({
    waiting: 0,
    done: 0,
    skipped: { gone: 1, changed: 0, 'too-large': 1, unreadable: 0, 'queue-full': 0 },
  });
  expect(told).toEqual([]);
});

test('so many files wait and no more', () => {
  const event = seen(1, program);
  for (let inode = 1; inode <= 1030; inode++) {
    hashes.complete({ ...event, executable: { path: '/nowhere', device: 1, inode: String(inode), ctime: '1' } });
  }
  expect(hashes.counts).toMatchObject({ waiting: 1024, skipped: { 'queue-full': 6 } });
});

test('the thread that hashes gives way to the others', async () => {
  const niceness = () =>
    readdirSync('/proc/self/task').map((tid) => {
      const line = readFileSync(`/proc/self/task/${tid}/stat`, 'utf8');
      return Number(line.slice(line.lastIndexOf(')')).split(' ')[17]);
    });
  await expect.poll(niceness).toContain(10);
  expect(niceness()).toContain(0);
});
