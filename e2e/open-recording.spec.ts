// A recording that somebody drops on the page is shown in it, without the server.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro, MAIN } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

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
