// A recording, or what another tool wrote, that somebody drops on the page is shown in it, without the server.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, type Page, test } from '@playwright/test';
import { Dendro, MAIN } from './helpers/dendro.ts';
import { writeMorning } from './helpers/recorded-morning.ts';
import { requestsFromNow, TreePage } from './helpers/tree-page.ts';

const RECORDED = fileURLToPath(new URL('../packages/testkit/', import.meta.url));
/** Frames between which nobody would notice that something is being read. */
const FRAME_GOAL_MS = 50;

let folder: string;
let recording: string;
/** It runs while the recording is made, and has ended when it is looked at. */
let sleeper: number;

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-e2e-'));
  recording = join(folder, 'morning.dendro');
  const child = spawn('sleep', ['617'], { stdio: 'ignore' });
  sleeper = child.pid ?? 0;
  const made = spawnSync(process.execPath, [MAIN, 'record', '-o', recording, '--for', '2'], { encoding: 'utf8' });
  child.kill();
  expect(made.status, made.stderr).toBe(0);
});

test.afterAll(() => rmSync(folder, { recursive: true }));

async function drop(page: Page, path: string, name: string): Promise<void> {
  const base64 = readFileSync(path).toString('base64');
  const transfer = await page.evaluateHandle(
    async ([text, name]) => {
      const bytes = Uint8Array.from(atob(text as string), (char) => char.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], name as string));
      return data;
    },
    [base64, name],
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await expect(page.locator('.drop-target')).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

test('a recording that is dropped on the page is shown, and the way back leads to the living host', async ({
  page,
}) => {
  const dendro = await Dendro.start();
  const tree = await TreePage.open(page, dendro);
  await drop(page, recording, 'morning.dendro');
  await expect(page.getByTestId('live-state')).toHaveText('END');
  await expect(page.getByTestId('connection-state')).toContainText('a recording, in this page only');
  await tree.filter(String(sleeper));
  await expect(tree.row(sleeper)).toContainText('sleep');
  await expect(tree.row(sleeper)).not.toContainText('exited');

  await page.getByTestId('back-to-live').click();
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
  await expect(tree.row(sleeper)).toHaveCount(0);
  await tree.filter(String(process.pid));
  await expect(tree.row(process.pid)).toBeVisible();
  await dendro.stop();
});

test('one that was cut off is shown as far as it goes, and says so', async ({ page }) => {
  const cut = join(folder, 'cut.dendro');
  const whole = readFileSync(recording);
  writeFileSync(cut, whole.subarray(0, whole.length - 20));
  const dendro = await Dendro.start();
  const tree = await TreePage.open(page, dendro);
  await page.getByTestId('open-recording').setInputFiles(cut);
  await expect(page.getByTestId('live-state')).toHaveText('END');
  await tree.filter(String(sleeper));
  await expect(tree.row(sleeper)).toBeVisible();
  await page.getByTestId('source-name').click();
  await expect(page.getByText('It is cut off: what was written before that is shown.')).toBeVisible();
  await dendro.stop();
});

test('what is no recording is refused in a sentence, and what was shown stays', async ({ page }) => {
  const dendro = await Dendro.start();
  await TreePage.open(page, dendro);
  await drop(page, MAIN, 'main.ts');
  await expect(page.getByTestId('opening')).toContainText('main.ts: This is not a recording of dendro');
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByTestId('opening')).toHaveCount(0);
  await dendro.stop();
});

test('what Tracee, the audit system and strace wrote is decoded in the page, also packed', async ({ page }) => {
  const dendro = await Dendro.start();
  const tree = await TreePage.open(page, dendro);
  const strace = join(folder, 'morning.strace');
  writeMorning(strace);
  await drop(page, strace, 'morning.strace');
  await expect(page.getByTestId('live-state')).toHaveText('END');
  await expect(page.getByTestId('connection-state')).toContainText('in this page only');
  await expect(tree.row(300)).toContainText('nginx');

  const audit = join(RECORDED, 'recordings/audit/aarch64-hosts.log');
  await drop(page, audit, 'audit.log');
  await expect(page.getByTestId('source-name')).toContainText('audit.log');
  await expect(tree.row(300)).toHaveCount(0);
  await expect(tree.rows.first()).toBeVisible();

  const requests = await requestsFromNow(page);
  const packed = join(folder, 'tracee.ndjson.gz');
  writeFileSync(packed, gzipSync(readFileSync(join(RECORDED, 'vectors/tracee/legacy.ndjson'))));
  await drop(page, packed, 'tracee.ndjson.gz');
  await expect(page.getByTestId('source-name')).toContainText('tracee.ndjson.gz');
  await expect(tree.rows.first()).toBeVisible();
  expect(requests).toEqual([]);

  await dendro.stop();
});

test('what cannot be read here is refused with the command that reads it', async ({ page }) => {
  const dendro = await Dendro.start();
  await TreePage.open(page, dendro);
  const packed = join(folder, 'events.zst');
  writeFileSync(packed, zstdCompressSync(readFileSync(join(RECORDED, 'vectors/tracee/legacy.ndjson'))));
  const trace = join(RECORDED, 'recordings/core-strace/trace.txt');
  for (const [path, name, command] of [
    [packed, 'events.zst', 'dendro --source tracee:FILE'],
    [trace, 'trace.txt', 'dendro --source replay:FOLDER'],
  ] as const) {
    await drop(page, path, name);
    await expect(page.getByTestId('opening')).toContainText(command);
    await expect(page.getByTestId('live-state')).toHaveText('LIVE');
  }
  await dendro.stop();
});

test('while a long file is read the page is drawn and used, and reading it can be stopped', async ({ page }) => {
  const long = join(folder, 'long.strace');
  writeFileSync(long, manyLives(150_000));
  const dendro = await Dendro.start();
  const tree = await TreePage.open(page, dendro);
  await page.getByTestId('open-recording').setInputFiles(long);
  await expect(page.getByRole('progressbar', { name: 'Reading long.strace' })).toBeVisible();
  await page.getByRole('button', { name: 'Stop reading' }).click();
  await expect(page.getByTestId('opening')).toHaveCount(0);
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');

  await page.evaluate(() => {
    const frames: number[] = [];
    let isReading = true;
    let last = performance.now();
    const frame = (now: number): void => {
      isReading &&= document.querySelector('[data-testid="live-state"]')?.textContent !== 'END';
      if (isReading) frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(window, { frames });
  });
  await page.getByTestId('open-recording').setInputFiles(long);
  const bar = page.getByRole('progressbar', { name: 'Reading long.strace' });
  await expect.poll(async () => (await bar.count()) === 0 || Number(await bar.getAttribute('value')) > 0).toBe(true);
  await expect(page.getByTestId('live-state')).toHaveText('END', { timeout: 60_000 });
  await expect(tree.rows.first()).toBeVisible();
  const frames = await page.evaluate(() => (window as unknown as { frames: number[] }).frames);
  const p95 = frames.toSorted((a, b) => a - b)[Math.floor(frames.length * 0.95)] ?? 0;
  console.log(`${frames.length} frames while 150,000 lives are read: p95 ${p95.toFixed(1)} ms`);
  expect(frames.length).toBeGreaterThan(30);
  expect(p95).toBeLessThan(FRAME_GOAL_MS);
  await dendro.stop();
});

test('of an archive that is cut off, or has another behind it, what could be unpacked is shown, and that is said', async ({
  page,
}) => {
  const dendro = await Dendro.start();
  const tree = await TreePage.open(page, dendro);
  const packed = gzipSync(manyLives(5000));
  const more = gzipSync('not of strace\n');
  for (const [name, bytes] of [
    ['cut.gz', packed.subarray(0, packed.length >> 1)],
    ['two.gz', Buffer.concat([packed, more])],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await page.getByTestId('open-recording').setInputFiles(path);
    await expect(page.getByTestId('source-name')).toContainText(name);
    await expect(tree.rows.first()).toBeVisible();
    await page.getByTestId('source-name').click();
    await expect(page.getByText('The gzip archive is damaged or cut off, or there is another one')).toBeVisible();
    await page.keyboard.press('Escape');
  }
  const small = join(folder, 'small.gz');
  writeFileSync(small, packed.subarray(0, 12));
  await page.getByTestId('open-recording').setInputFiles(small);
  await expect(page.getByTestId('opening')).toContainText('and nothing of it could be read');
  await dendro.stop();
});

/** Of strace: each is born, runs something and ends. */
function manyLives(count: number): string {
  const parts: string[] = [];
  for (let life = 0; life < count; life++) {
    const pid = 1000 + (life % 30_000);
    const at = (ms: number) => (1_700_000_000 + life / 100 + ms / 1000).toFixed(6);
    parts.push(
      `999 ${at(0)} clone(child_stack=NULL, flags=SIGCHLD) = ${pid}\n`,
      `${pid} ${at(1)} execve("/usr/bin/tool-${life % 97}", ["tool", "${life}"], 0x7ffd /* 10 vars */) = 0\n`,
      `${pid} ${at(2)} +++ exited with 0 +++\n`,
    );
  }
  return parts.join('');
}
