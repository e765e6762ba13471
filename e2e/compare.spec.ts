// Two instants beside each other: what began, ended, changed and was given
// another parent between them, row by row.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { morningNs, writeMorning } from './helpers/recorded-morning.ts';
import { requestsFromNow, TreePage } from './helpers/tree-page.ts';

let folder: string;
let recorded: Dendro;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-compare-'));
  const file = join(folder, 'morning.strace');
  writeMorning(file);
  recorded = await Dendro.start({ args: ['--port', '0', '--source', `strace:${file}`] });
});
test.afterAll(async () => {
  await recorded.stop();
  rmSync(folder, { recursive: true });
});

const counts = (page: Page) => page.getByTestId('change-counts');
const row = (page: Page, name: RegExp) => page.getByRole('row', { name });

/** B at 1000 seconds of the recording, A at 100. */
async function openCompared(page: Page, more = ''): Promise<void> {
  await page.goto(`${recorded.url}&at=${morningNs(1000)}&cmp=${morningNs(100)}${more}`);
  await expect(counts(page)).toContainText('+2');
}

/** Signs only. */
async function signs(page: Page): Promise<string> {
  const text = (await counts(page).textContent()) ?? '';
  return (text.match(/[^\s\w]\d+/g) ?? []).join(' ');
}

test('what is different is marked in the rows, and said in words', async ({ page }) => {
  await page.goto(`${recorded.url}&at=${morningNs(100)}`);
  await expect(page.getByTestId('tree-row').first()).toBeVisible();
  await page.getByRole('button', { name: /Compare: pin this instant as A/ }).click();
  await expect(counts(page)).toContainText('A and B are the same instant');
  const field = page.getByTestId('time-field');
  await field.fill(morningNs(1000));
  await field.press('Enter');
  await expect.poll(() => signs(page)).toBe('+2 −1 ~2 ↷1');

  await expect(row(page, /nginx.*began since A/)).toHaveAttribute('data-change', 'born');
  await expect(row(page, /worker.*began since A/)).toBeVisible();
  await expect(row(page, /bash.*ended since A/)).toHaveAttribute('data-change', 'died');
  await expect(row(page, /sshd.*changed since A: user/)).toContainText('user');
  await expect(row(page, /ncat.*changed since A: name, executable, arguments; .*was under bash \[101\]/)).toBeVisible();
  await expect(row(page, /cron/)).not.toHaveAttribute('data-change', /./);
  await expect(row(page, /curl/)).toHaveCount(0); // came and went in between

  // Whoever is folded away is counted in the row it is folded into.
  const init = row(page, /^.*init/).first();
  await init.click();
  await page.getByTestId('tree-grid').focus();
  await page.keyboard.press('ArrowLeft');
  await expect(init).toContainText('+2 −1 ~2 ↷1');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('region', { name: 'Comparison of two instants' })).toHaveCount(0);
});

test('only what differs, the other way round, from one difference to the next; and the address leads there again', async ({
  page,
}) => {
  await openCompared(page);
  await page.getByRole('checkbox', { name: 'Changed only' }).check();
  await expect(row(page, /cron/)).toHaveCount(0);
  await expect(row(page, /init/)).toHaveCount(1); // leads to others
  await expect(page).toHaveURL(/cmp=1700000100000000000&changed=1/);
  const again = await page.context().newPage();
  await again.goto(page.url());
  await expect.poll(() => signs(again)).toBe('+2 −1 ~2 ↷1');
  await expect(again.getByRole('checkbox', { name: 'Changed only' })).toBeChecked();
  await again.close();

  await page.getByTestId('tree-grid').focus();
  const seen: (string | null)[] = [];
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('d');
    seen.push(await page.locator('[data-testid="tree-row"][aria-selected="true"]').getAttribute('data-pid'));
  }
  expect(new Set(seen).size).toBe(5); // and round the end
  expect(seen[5]).toBe(seen[0]);
  await page.keyboard.press('D');
  await expect(page.locator(`[data-pid="${seen[4]}"]`)).toHaveAttribute('aria-selected', 'true');

  await page.getByRole('button', { name: 'Swap A and B' }).click();
  await expect.poll(() => signs(page)).toBe('+1 −2 ~2 ↷1');
  await expect(row(page, /nginx.*there at A, not begun at B/)).toBeVisible();

  // At one instant there is no difference, and it is said.
  const field = page.getByTestId('time-field');
  await field.fill(morningNs(1000));
  await field.press('Enter');
  await expect(page.getByText('Nothing differs between A and B.')).toBeVisible();
  await page.getByRole('button', { name: 'Show what is the same at both' }).click();
  await expect(row(page, /cron/)).toBeVisible();
});

test('the details show what changed at A and at B, side by side', async ({ page }) => {
  await openCompared(page);
  await row(page, /ncat/).click();
  await page.keyboard.press('Enter');
  const facts = page.getByRole('region', { name: 'Differences between A and B' });
  await expect(facts.getByRole('row', { name: /^parent/ })).toHaveText(/bash \[101\]\s*init \[1\]/);
  await expect(facts.getByRole('row', { name: /^name/ })).toHaveText(/python3\s*ncat/);
  await row(page, /bash.*ended since A/).click();
  await expect(facts.getByRole('row', { name: /^state/ })).toHaveText(/running\s*exited 0/);
  await row(page, /cron/).click();
  await expect(facts).toContainText('The same at both.');
});

test('B is moved over the strip without a request', async ({ page }) => {
  await openCompared(page);
  const box = (await page.getByTestId('time-strip').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const requests = await requestsFromNow(page);
  await page.mouse.move(box.x + box.width * 0.9, box.y + 15);
  await page.mouse.down();
  const said = new Set<string>();
  for (let share = 0.9; share > 0.1; share -= 0.01) {
    await page.mouse.move(box.x + box.width * share, box.y + 15);
    said.add(await signs(page));
  }
  await page.mouse.up();
  expect(said.size).toBeGreaterThan(2);
  expect(requests).toEqual([]);
});

test.describe('of this host', () => {
  let program: string;
  let child: ChildProcess;

  test.beforeAll(() => {
    program = join(folder, 'here-at-a');
    copyFileSync('/bin/sleep', program);
  });
  test.afterEach(() => child.kill('SIGKILL'));

  test('A is pinned, and B goes on with the present', async ({ page }) => {
    const dendro = await Dendro.start();
    await TreePage.keepApart(page);
    const tree = await TreePage.open(page, dendro);
    await tree.filter('name:here-at-a');
    await page.getByTestId('tree-grid').focus();
    await page.keyboard.press('>');
    await page.keyboard.type('pin this instant');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('instant-b')).toHaveText(/now/);
    child = spawn(program, ['600']);
    await expect(tree.row(child.pid)).toHaveAttribute('data-change', 'born');
    await expect(page.getByTestId('live-state')).toHaveText('LIVE');
    await dendro.stop();
  });

  test('A before the server was started again is read from its history, and B is the present', async ({ page }) => {
    const data = mkdtempSync(join(tmpdir(), 'dendro-compared-past-'));
    const args = ['--port', '0', '--data-dir', data];
    const before = await Dendro.start({ args });
    child = spawn(program, ['600']);
    await expect
      .poll(async () => (await (await before.get('/api/v1/hosts/local/tree')).text()).includes('here-at-a'))
      .toBe(true);
    const a = BigInt(Date.now()) * 1_000_000n;
    await before.recorded();
    await before.stop('SIGKILL');
    child.kill('SIGKILL');
    const after = await Dendro.start({ args });
    try {
      const windows: string[] = [];
      page.on('request', (request) => {
        if (request.url().includes('/window?')) windows.push(request.url());
      });
      await page.goto(`${after.url}&cmp=${a}&q=name:here-at-a`);
      const tree = new TreePage(page);
      await expect(tree.row(child.pid)).toHaveAttribute('data-change', 'died');
      await expect(row(page, /here-at-a.*ended since A/)).toBeVisible();
      await expect(tree.row(process.pid)).toBeVisible(); // its parent
      expect(windows).toHaveLength(1);
    } finally {
      await after.stop();
      rmSync(data, { recursive: true });
    }
  });
});
