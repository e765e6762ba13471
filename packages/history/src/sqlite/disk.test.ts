// A real file system that is really full.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EventNs, epochOf } from '@dendro/protocol';
import { afterEach, expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { sizesOf } from './database.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const IS_ROOT = process.geteuid?.() === 0;
const mounted: string[] = [];

afterEach(() => {
  for (const place of mounted.splice(0)) execFileSync('umount', ['-l', place]);
});

function smallDisk(kib: number): string {
  const place = join(folder(), 'disk');
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'dendro-test', place]);
  mounted.push(place);
  return place;
}

/** Programs that have much to say, one after the other. */
function tellMuch(host: RecordedHost, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const noise = Array.from({ length: 20 }, (_, n) => ((i * 7919 + n * 104_729) ** 2).toString(36));
    const pid = 1000 + (i % 30_000);
    host.tell(fork(i, pid, 1), exec(i + 0.2, pid, [`/bin/run-${i}`, ...noise]), exit(i + 0.5, pid, 0));
  }
}

test.skipIf(!IS_ROOT)(
  'a full disk stops recording loudly, answers go on, and recording resumes by itself with nothing missing',
  { timeout: 120_000 },
  () => {
    const place = smallDisk(3000);
    const ballast = join(place, 'ballast');
    let now = 0;
    const history = new SqliteHistory(place, { monotonicMs: () => now, graceNs: 0, blockLives: 50 });
    history.begin(START);
    const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
    tellMuch(host, 1, 100);
    history.flush();
    expect(history.state).toMatchObject({ state: 'recording', problem: undefined });
    writeFileSync(ballast, fillOf(place));
    let told = 100;
    for (; history.state.state === 'recording' && told < 5000; told += 50) {
      tellMuch(host, told, told + 50);
      history.flush();
    }
    expect(history.state.state).toBe('stopped');
    expect(history.state.problem).toMatch(
      /cannot be written .*recording has stopped, and goes on as soon as there is room/,
    );
    // It can be asked all the while, about what is not written down too.
    expect(history.search({ commandLine: `/bin/run-${told - 1} ` }).total).toBe(1);
    expect(history.asOf(epochOf(BASE, 50_000_000 as EventNs)).tree.taskCount).toBeGreaterThan(0);
    rmSync(ballast);
    history.flush();
    expect(history.state.state).toBe('stopped'); // it tries again in a second
    now += 2000;
    tellMuch(host, told, told + 10);
    history.flush();
    expect(history.state).toMatchObject({
      state: 'recording',
      problem: undefined,
      pendingBatches: 0,
      droppedBatches: 0,
    });
    history.close();
    const again = new SqliteHistory(place);
    for (const i of [1, 99, 150, told - 1, told + 9])
      expect(again.search({ commandLine: `/bin/run-${i} ` }).total).toBe(1);
    again.close();
  },
);

test.skipIf(!IS_ROOT)(
  'on a disk that it has filled itself, a history that is to be smaller makes room and goes on',
  { timeout: 120_000 },
  () => {
    const place = smallDisk(16_000);
    const options = { graceNs: 0, blockLives: 50, keyframeFacts: 500 };
    const before = new SqliteHistory(place, options);
    before.begin(START);
    const host = new RecordedHost(before, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
    let told = 1;
    for (; sizesOf(place).file < 3_000_000; told += 50) {
      tellMuch(host, told, told + 50);
      before.flush();
    }
    before.close();
    writeFileSync(join(place, 'ballast'), fillOf(place, 150_000));
    let now = 0;
    const maxBytes = 1_500_000;
    const history = new SqliteHistory(place, { ...options, maxBytes, monotonicMs: () => now });
    const again = history.begin({ ...START, at: (told * 1e6) as EventNs });
    // More than there is room for.
    const onward = new RecordedHost(history, BASE, again.newestTaskId + 1);
    tellMuch(onward, told, told + 1500);
    expect(history.pendingBytes).toBeGreaterThan(500_000);
    for (let i = 0; i < 100; i++) {
      now += 2000;
      history.tick((2 * told * 1e6 + i) as EventNs);
      history.flush();
    }
    expect(history.state).toMatchObject({ state: 'recording', problem: undefined, droppedBatches: 0 });
    expect(history.state.fileBytes).toBeLessThanOrEqual(maxBytes);
    expect(history.search({ commandLine: `/bin/run-${told + 1499} ` }).total).toBe(1);
    history.close();
  },
);

test.skipIf(!IS_ROOT)(
  'what is too much to wait for a disk is dropped, counted, and shows as a gap',
  { timeout: 120_000 },
  () => {
    const place = smallDisk(2000);
    let now = 0;
    const history = new SqliteHistory(place, {
      monotonicMs: () => now,
      maxPendingBytes: 200_000,
      graceNs: 0,
      blockLives: 50,
    });
    history.begin(START);
    const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
    history.flush();
    const ballast = join(place, 'ballast');
    writeFileSync(ballast, fillOf(place));
    for (let i = 1; history.state.droppedBatches === 0 && i < 20_000; i += 50) {
      tellMuch(host, i, i + 50);
      history.flush();
      now += 1000;
    }
    expect(history.state.droppedBatches).toBeGreaterThan(0);
    expect(history.needsSnapshot).toBe(false);
    rmSync(ballast);
    now += 2000;
    history.flush();
    expect(history.needsSnapshot).toBe(true);
    const at = (host.tree.newest + 1) as EventNs;
    history.appendSnapshot([], at);
    expect(history.gaps(BASE.epochNs, epochOf(BASE, at))).toMatchObject([
      { toEpochNs: epochOf(BASE, at), why: 'disk' },
    ]);
    expect(history.state).toMatchObject({ state: 'recording', problem: undefined });
    history.close();
  },
);

test.skipIf(!IS_ROOT).each([
  ['of the same boot, in order', 'boot', true],
  ['of the same boot, after a kill', 'boot', false],
  ['of another boot', 'next', true],
  ['of another boot, after a kill', 'next', false],
] as const)(
  'a run %s, that begins on a full disk says so, and is recorded as soon as there is room',
  (_, bootId, inOrder) => {
    const first = folder();
    const before = new SqliteHistory(first, { graceNs: 0, blockLives: 50 });
    before.begin(START);
    tellMuch(new RecordedHost(before, BASE).tell(seen(1, 0, 0, ['/sbin/init'])), 1, 200);
    before.flush();
    const place = smallDisk(4000);
    if (inOrder) before.close();
    cpSync(first, place, { recursive: true });
    before.close();
    const ballast = join(place, 'ballast');
    writeFileSync(ballast, fillOf(place, 0));
    let now = 0;
    const history = new SqliteHistory(place, { monotonicMs: () => now, graceNs: 0, blockLives: 50 });
    const base = { epochNs: BASE.epochNs + (bootId === 'boot' ? 0n : 1_000_000_000n) };
    const { isSameEra, newestTaskId } = history.begin({ ...START, bootId, base });
    expect(isSameEra).toBe(bootId === 'boot');
    expect(history.state).toMatchObject({ state: 'stopped' });
    expect(history.state.problem).toMatch(/database or disk is full.*goes on as soon as there is room/);
    const host = new RecordedHost(history, base, newestTaskId + 1).tell(seen(1, 0, 0, ['/sbin/init']));
    tellMuch(host, 2000, 2100);
    expect(history.search({ commandLine: '/bin/run-2050 ' }).total).toBe(1);
    expect(history.search({ commandLine: '/bin/run-150 ' }).total).toBe(1);
    rmSync(ballast);
    now += 2000;
    history.flush();
    expect(history.state).toMatchObject({
      state: 'recording',
      problem: undefined,
      pendingBatches: 0,
      droppedBatches: 0,
    });
    tellMuch(host, 2100, 2200);
    history.close();
    const again = new SqliteHistory(place);
    for (const i of [1, 150, 199, 2000, 2050, 2199]) {
      expect(again.search({ commandLine: `/bin/run-${i} ` }).total).toBe(1);
    }
    again.close();
  },
);

test.skipIf(!IS_ROOT)('a history that is to be made where there is no room is refused with a sentence', () => {
  const place = smallDisk(16);
  writeFileSync(join(place, 'ballast'), fillOf(place, 0));
  expect(() => new SqliteHistory(place)).toThrow(
    expect.objectContaining({ code: 'DENDRO_HISTORY_UNREADABLE', message: expect.stringContaining('disk is full') }),
  );
});

/** As many bytes as there are left, but for a few. */
function fillOf(place: string, spare = 16_384): Buffer {
  const free = Number(execFileSync('df', ['--output=avail', '-B1', place], { encoding: 'utf8' }).split('\n')[1]);
  return Buffer.alloc(Math.max(0, free - spare));
}
