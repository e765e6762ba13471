// What happened long ago is found on the strip: in a recording, in the history of
// a host whose server was started again, and while the server is slow or refuses.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { MORNING, morningNs, writeMorning } from './helpers/recorded-morning.ts';
import { requestsFromNow, TreePage } from './helpers/tree-page.ts';

let folder: string;
let recorded: Dendro;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-long-ago-'));
  const file = join(folder, 'morning.strace');
  writeMorning(file);
  recorded = await Dendro.start({ args: ['--port', '0', '--source', `strace:${file}`] });
});
test.afterAll(async () => {
  await recorded.stop();
  rmSync(folder, { recursive: true });
});

const named = (page: Page, name: string) => page.locator('[data-testid="tree-row"]', { hasText: name });
const slider = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

async function boxOf(page: Page, testId: string) {
  const box = await page.getByTestId(testId).boundingBox();
  if (box === null) throw new Error(`${testId} is not there`);
  return box;
}

test('who lived for half a minute of a recording is found by dragging over it, under whoever started it', async ({
  page,
}) => {
  await page.goto(recorded.url ?? '');
  await expect(page.getByTestId('live-state')).toHaveText('END');
  const requests = await requestsFromNow(page);
  const { x, y, width } = await boxOf(page, 'time-strip');
  await page.mouse.move(x + width - 30, y + 15);
  await page.mouse.down();
  const curl = named(page, 'curl');
  let to = x + width - 30;
  while (!(await curl.isVisible()) && to > x) {
    to -= 8;
    await page.mouse.move(to, y + 15);
  }
  await page.mouse.up();
  expect(requests).toEqual([]);
  await expect(curl).toHaveAttribute('data-pid', '200');
  // init > sshd > bash > curl
  const rows = page.getByTestId('tree-row');
  const above = await rows.evaluateAll((all) => {
    const chain: string[] = [];
    let level = Number.POSITIVE_INFINITY;
    for (const row of all.reverse()) {
      const itsLevel = Number(row.getAttribute('aria-level'));
      const isCurl = row.getAttribute('data-pid') === '200';
      if (!isCurl && (chain.length === 0 || itsLevel >= level)) continue;
      chain.push(row.querySelector('.name')?.textContent ?? '');
      level = itsLevel;
    }
    return chain;
  });
  expect(above).toEqual(['curl', 'bash', 'sshd', 'init']);
});

test('what begins and ends on the way of the playhead is marked for a moment; a filter marks nothing', async ({
  page,
}) => {
  await page.goto(`${recorded.url}&at=${morningNs(590)}`);
  const tree = new TreePage(page);
  await expect(tree.row(101)).toBeVisible();
  const field = page.getByTestId('time-field');
  await field.fill(morningNs(1000));
  await field.press('Enter');
  // Both are far from the instant shown: only the way there marks them.
  await expect(named(page, 'nginx')).toHaveAttribute('data-new', 'true');
  await expect(tree.row(101)).toHaveAttribute('data-ending', 'true');
  await expect(named(page, 'nginx')).not.toHaveAttribute('data-new', 'true');
  await expect(tree.row(101)).toHaveCount(0);
  await tree.filter('nginx');
  await expect(named(page, 'nginx')).toHaveCount(1);
  await tree.filter('');
  await expect(named(page, 'cron')).toBeVisible();
  await expect(page.locator('[data-new], [data-ending]')).toHaveCount(0);
});

test('the stretch that the strip shows is changed at either end and moved, and the address leads there again', async ({
  page,
}) => {
  await page.goto(`${recorded.url}&at=${morningNs(310)}`);
  const from = slider(page, 'Beginning of the time shown');
  const to = slider(page, 'End of the time shown');
  await expect(from).toBeVisible();
  const at = async (handle: typeof from) => Number(await handle.getAttribute('aria-valuenow')) / 1000 - MORNING;
  await expect.poll(() => at(to)).toBeGreaterThan(600);
  const whole = await at(to);
  const bar = await boxOf(page, 'window-bar');
  const handle = (await to.boundingBox()) ?? bar;
  await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await page.mouse.down();
  await page.mouse.move(bar.x + bar.width / 2, bar.y + 4, { steps: 4 });
  await page.mouse.up();
  expect(await at(to)).toBeLessThan(whole * 0.6);
  await from.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const [first, last] = [await at(from), await at(to)];
  expect(first).toBeGreaterThan(50);
  await slider(page, 'Time shown').focus();
  await page.keyboard.press('ArrowRight');
  expect((await at(to)) - last).toBeCloseTo((await at(from)) - first, 1);
  // On the strip Shift moves it too, and the instant stays.
  const strip = slider(page, 'Instant shown');
  const instant = await strip.getAttribute('aria-valuenow');
  const before = await at(from);
  await strip.focus();
  await page.keyboard.press('Shift+ArrowLeft');
  expect(await at(from)).toBeLessThan(before);
  expect(await strip.getAttribute('aria-valuenow')).toBe(instant);

  const written = () => Number((new URL(page.url()).searchParams.get('win') ?? '').split(',')[0]) / 1e9 - MORNING;
  const shown = await at(from);
  await expect.poll(() => Math.abs(written() - shown)).toBeLessThan(0.01);
  const again = await page.context().newPage();
  await again.goto(page.url());
  for (const name of ['Beginning of the time shown', 'End of the time shown', 'Instant shown']) {
    const value = (await slider(page, name).getAttribute('aria-valuenow')) ?? '';
    await expect(slider(again, name)).toHaveAttribute('aria-valuenow', value);
  }
  await again.close();
});

test('a row points to its life on the strip, and a bar of the strip to its rows', async ({ page }) => {
  await page.goto(`${recorded.url}&at=${morningNs(320)}`);
  await named(page, 'curl').hover();
  const life = await boxOf(page, 'linked-life');
  const { x, y } = await boxOf(page, 'time-strip');
  expect(life.x).toBeGreaterThan(x);
  await page.mouse.move(life.x + 1, y + 12);
  await expect(page.getByTestId('linked-life')).toHaveCount(0);
  await expect(named(page, 'curl')).toHaveClass(/is-linked/);
  await expect(named(page, 'cron')).not.toHaveClass(/is-linked/);
});

test.describe('with a history', () => {
  const data = mkdtempSync(join(tmpdir(), 'dendro-long-ago-data-'));
  let dendro: Dendro;
  /** Epoch nanoseconds at which it lived. */
  let lived: bigint;

  test.beforeAll(async () => {
    const program = join(folder, 'brief-visit');
    copyFileSync('/bin/sleep', program);
    dendro = await Dendro.start({ args: ['--port', '0', '--data-dir', data] });
    lived = BigInt(Date.now() + 500) * 1_000_000n;
    spawnSync(program, ['1']);
    await dendro.recorded();
  });
  test.afterAll(async () => {
    await dendro.stop();
    rmSync(data, { recursive: true });
  });

  test('the address of an instant, a row and a comparison leads there again after the server was started anew', async ({
    page,
  }) => {
    await page.goto(`${dendro.url}&at=${lived}&q=name:brief-visit`);
    await named(page, 'brief-visit').click();
    await page.keyboard.press('a');
    await page.keyboard.press('+');
    await expect(page).toHaveURL(/task=\d+.*at=\d+.*cmp=\d+/);
    const { search, searchParams } = new URL(page.url());
    const pid = await named(page, 'brief-visit').getAttribute('data-pid');
    await dendro.stop('SIGKILL');
    dendro = await Dendro.start({ args: ['--port', '0', '--data-dir', data] });
    const signIn = await page.context().newPage();
    await signIn.goto(dendro.url ?? '');
    await page.goto(`${dendro.origin}/${search}`);
    const row = named(page, 'brief-visit');
    await expect(row).toHaveAttribute('data-state', 'running');
    await expect(row).toHaveAttribute('data-pid', pid ?? '');
    await expect(row).toHaveAttribute('aria-selected', 'true');
    await expect(new TreePage(page).row(process.pid)).toBeVisible();
    await expect(page.getByTestId('instant-a')).toBeVisible();
    expect(new URL(page.url()).searchParams.get('at')).toBe(searchParams.get('at'));
    await signIn.close();
  });

  test('while the past is on its way the strip says so, and the tree that was there stays', async ({ page }) => {
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/window?*', async (route) => {
      await held;
      await route.continue();
    });
    const tree = await TreePage.open(page, dendro);
    await tree.reveal(process.pid);
    const field = page.getByTestId('time-field');
    await field.fill(String(lived));
    await field.press('Enter');
    await expect(page.getByRole('progressbar', { name: 'Reading the past' })).toBeVisible();
    await expect(tree.row(process.pid)).toHaveAttribute('data-state', 'running');
    await expect(named(page, 'brief-visit')).toHaveCount(0);
    letGo();
    await expect(page.getByRole('progressbar')).toHaveCount(0);
    await tree.filter('name:brief-visit');
    await expect(named(page, 'brief-visit')).toHaveAttribute('data-state', 'running');
  });

  test('a past that cannot be read, and counts that cannot, are said on the strip', async ({ page }) => {
    for (const what of ['window', 'histogram']) {
      await page.route(`**/${what}?*`, (route) =>
        route.fulfill({ status: 503, json: { message: `The ${what} is not there.` } }),
      );
    }
    await page.goto(`${dendro.url}&at=${lived}`);
    await expect(page.getByRole('alert')).toHaveText('The window is not there.');
    await slider(page, 'Instant shown').focus();
    for (let wider = 0; wider < 6; wider++) await page.keyboard.press('-'); // the server counts by the second
    await expect(
      page.getByText(/How much happened then could not be read.*The histogram is not there\./),
    ).toBeVisible();
    await page.unroute('**/window?*');
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
});
