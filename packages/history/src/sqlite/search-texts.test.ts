// Texts are matched by their numbers, which change while lives come and go: compared with looking at the text of every life.

import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import type { FoundLife } from '../history.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const OPTIONS = { graceNs: 0, blockLives: 32 };
/** More texts than a tree keeps that nobody has any more. */
const LIVES = 6000;
const LIMIT = 10_000;
const NEEDLES = [
  'number=',
  'NUMBER=12',
  'number=5999',
  'of 7',
  'tool-3',
  '/bin/tool-1',
  'again',
  'job',
  'init',
  'no such',
  'feed',
];

const keyOf = (life: FoundLife) => `${life.taskId} ${life.sinceEpochNs} ${life.argv?.join(' ')}`;

function expectSameAsLooking(history: SqliteHistory): void {
  const { lives } = history.search({ limit: LIMIT });
  const holds = (text: string | undefined, needle: string) => text?.toLowerCase().includes(needle.toLowerCase());
  const expectFound = (asked: object, isMeant: (life: FoundLife) => boolean | undefined) => {
    const found = history.search({ ...asked, limit: LIMIT }).lives.map(keyOf);
    expect(found.sort(), JSON.stringify(asked)).toEqual(lives.filter(isMeant).map(keyOf).sort());
    const few = history.search({ ...asked, limit: 3 });
    expect(few.total, JSON.stringify(asked)).toBe(found.length);
    expect(few.lives.length).toBe(Math.min(3, found.length));
  };
  for (const needle of NEEDLES) {
    expectFound({ commandLine: needle }, (life) => holds(life.argv?.join(' '), needle));
    expectFound({ comm: needle }, (life) => holds(life.comm, needle));
    expectFound({ path: needle }, (life) => holds(life.path, needle));
    expectFound(
      { text: needle },
      (life) => holds(life.argv?.join(' '), needle) || holds(life.comm, needle) || holds(life.path, needle),
    );
  }
}

test('a text is found in everyone who has it, open or in a block, just made or read, whatever texts have come and gone', () => {
  const place = folder();
  const history = new SqliteHistory(place, OPTIONS);
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  let ranAgain = 0;
  for (let i = 1; i <= LIVES; i++) {
    const [ms, pid] = [300 * i, 1000 + i];
    const comm = `tool-${i % 5}`;
    const executable = { path: `/bin/${comm}`, hash: 'feed' };
    host.tell(fork(ms, pid, 1), exec(ms + 1, pid, [comm, `--number=${i}`, `of ${i % 11}`], { comm, executable }));
    // One of forty stays; some of these run something else much later.
    if (i % 40 !== 0) host.tell(exit(ms + 200, pid, 0));
    if (i % 40 === 20 && i > 3000) {
      host.tell(exec(ms + 250, 1000 + i - 2980, ['job', `again ${i}`], { comm: 'job' }));
      ranAgain++;
    }
    if (i % 1500 !== 0) continue;
    expectSameAsLooking(history);
    expect(history.search({ text: 'again' }).total).toBe(ranAgain);
  }
  history.close();
  const reopened = new SqliteHistory(place, OPTIONS);
  reopened.begin({ ...START, at: (301e6 * LIVES) as EventNs });
  expectSameAsLooking(reopened);
  reopened.close();
});
