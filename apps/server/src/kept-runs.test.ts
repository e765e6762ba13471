import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keepRun, MAX_KEPT, replayCommand } from './kept-runs.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-kept-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a recording is called after its command and the time, in a folder for its owner alone', () => {
  const runs = join(folder, 'a', 'runs');
  const { recording } = keepRun(runs, ['/usr/bin/make me\n', '-j8'], Date.UTC(2026, 10, 27, 23, 50, 13));
  expect(recording).toEqual({ file: join(runs, `make_me_-20261127T235013Z-${process.pid}.dendro`), isForced: false });
  expect(statSync(runs).mode & 0o777).toBe(0o700);
  for (const name of ['..', '/', '']) expect(keepRun(runs, [name]).recording?.file).toMatch(/\/runs\/[\w]+-[^/]*$/);
});

test('the newest are kept, what is none of them is left alone, and what went is said', () => {
  const old = (i: number) => `make-20261127T2350${String(i % 60).padStart(2, '0')}Z-${i}.dendro`;
  for (let i = 0; i < MAX_KEPT + 2; i++) {
    writeFileSync(join(folder, old(i)), '');
    utimesSync(join(folder, old(i)), 1000 + i, 1000 + i);
  }
  writeFileSync(join(folder, 'mine.dendro'), '');
  utimesSync(join(folder, 'mine.dendro'), 1, 1);
  expect(keepRun(folder, ['make']).notice).toContain(`the ${MAX_KEPT} newest are kept: 3 went`);
  const left = readdirSync(folder);
  expect(left.filter((name) => name.startsWith('make-'))).toHaveLength(MAX_KEPT - 1);
  expect(left).toContain('mine.dendro');
  expect(left).toContain(old(MAX_KEPT + 1));
  expect(keepRun(folder, ['make']).notice).toBeUndefined();
});

test('a folder that cannot be used stands in no way, and is said', () => {
  writeFileSync(join(folder, 'file'), '');
  const { recording, notice } = keepRun(join(folder, 'file'), ['make']);
  expect(recording).toBeUndefined();
  expect(notice).toMatch(/^This run is not recorded: .*file cannot be used/);
});

test('what is to be typed is what a shell takes it for', () => {
  expect(replayCommand('/var/lib/a.dendro')).toBe('dendro --source replay:/var/lib/a.dendro');
  expect(replayCommand("/my runs/it's")).toBe("dendro --source 'replay:/my runs/it'\\''s'");
});
