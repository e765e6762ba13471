// Links to what is shown: copied, opened elsewhere, and what is said where a
// link asks for something that is not here.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-share-'));
});
test.beforeEach(({ context }) => context.grantPermissions(['clipboard-read', 'clipboard-write']));
test.afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-(pid ?? 0), 'SIGKILL');
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A shell under a name of its own, in a group that is ended after the test. */
function shell(name: string, script: string): ChildProcess {
  const path = join(folder, name);
  copyFileSync('/bin/bash', path);
  const child = spawn(path, ['-c', script], { detached: true, stdio: 'ignore' });
  started.push(child);
  return child;
}

const notice = (page: Page) => page.getByTestId('notice').getByRole('status');
const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const partsOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

/** A page of somebody else, who is signed in and has chosen other columns. */
async function elsewhere(browser: Browser, link: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    localStorage.setItem('dendro-columns', 'pid');
    localStorage.setItem('dendro-density', 'compact');
    localStorage.setItem('dendro-alike', 'apart');
  });
  await TreePage.open(page, dendro);
  await page.goto(link);
  return page;
}

test('a frozen link leads somebody else to the very same view', async ({ page, browser }) => {
  const parent = shell('share-top', 'sleep 600 & sleep 600 & wait');
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(parent.pid);
  await tree.grid.focus();
  await page.keyboard.press('s');
  await expect(tree.rows).toHaveCount(3);
  await page.keyboard.press('ArrowLeft');
  await expect(tree.rows).toHaveCount(1);
  await page.keyboard.press('5');
  await page.getByText('View', { exact: true }).click();
  await page.getByLabel('Threads', { exact: true }).uncheck();
  await page.getByLabel('Kernel threads').check();
  await page.keyboard.press('Escape');
  await page.getByRole('radio', { name: /^Running/ }).check({ force: true });
  await tree.grid.focus();
  await page.keyboard.press('Space');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await page.keyboard.press('Y');
  await expect(notice(page)).toHaveText('Link to this instant copied');
  const link = await clipboard(page);
  expect(link.length).toBeLessThan(2000);
  expect(link).not.toContain(dendro.token);

  const other = await elsewhere(browser, link);
  await expect(other.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(other.getByTestId('tree-row')).toHaveCount(1);
  await expect(other.getByTestId('tree-row')).toHaveAttribute('data-pid', String(parent.pid));
  await expect(other.getByRole('tab', { selected: true })).toHaveText('Timeline');
  await expect(other.getByTestId('tree-grid').getByRole('columnheader', { name: 'User' })).toHaveCount(1);
  await expect(other.getByTestId('tree-grid').getByRole('columnheader', { name: 'Threads' })).toHaveCount(0);
  // All that the link says stays in the address, and nothing comes to it.
  await other.keyboard.press('q');
  await other.keyboard.press('q');
  const asked = partsOf(link);
  await expect
    .poll(() => {
      const { density: _, alike: __, own: ___, ...rest } = partsOf(other.url());
      return rest;
    })
    .toEqual((({ density: _, alike: __, own: ___, ...rest }) => rest)(asked as Record<string, string>));
  for (const name of ['host', 'at', 'win', 'task', 'pid', 'run', 'scope', 'tab', 'fold', 'show', 'kernel', 'cols']) {
    expect(asked).toHaveProperty(name);
  }
  await other.context().close();
});

test('a live link leads to the present, with the query, from the menu and from the palette', async ({
  page,
  browser,
}) => {
  const child = shell('share-live', 'sleep 600; true');
  const tree = await TreePage.open(page, dendro);
  await tree.filter('share-live');
  await tree.row(child.pid).click();
  await page.keyboard.press('Space');
  await page.getByTestId('share').click();
  await page.getByRole('button', { name: /^Copy link, live/ }).click();
  await expect(notice(page)).toHaveText('Link to the present copied');
  await expect(page.getByTestId('share')).toBeFocused();
  const link = await clipboard(page);
  expect(partsOf(link)).toMatchObject({ q: 'share-live', only: '1', host: 'local', pid: String(child.pid) });
  expect(link).not.toMatch(/[?&](at|win)=/);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('copy link, frozen');
  await page.keyboard.press('Enter');
  await expect(notice(page)).toHaveText('Link to this instant copied');
  expect(await clipboard(page)).toMatch(/[?&]at=\d{19}&win=\d+,\d+/);

  const other = await elsewhere(browser, link);
  await expect(other.getByTestId('live-state')).toHaveText('LIVE');
  await expect(other.locator(`[data-pid="${child.pid}"]`)).toHaveAttribute('aria-selected', 'true');
  await expect(other.getByRole('alert')).toHaveCount(0);
  await other.context().close();
});

test('the window of a picture of lifetimes is in the address, and so is what a graph leaves out', async ({ page }) => {
  const parent = shell('share-lives', 'sleep 600 & wait');
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(parent.pid);
  await tree.grid.focus();
  await page.keyboard.press('l');
  await page.getByLabel('Living only').check();
  await expect(page).toHaveURL(/[?&]living=1/);
  await page.getByRole('button', { name: 'Lifetimes' }).click();
  await page.getByRole('button', { name: '30s' }).click();
  await expect(page).toHaveURL(/view=lifetimes.*lives=30s/);
  await page.reload();
  await expect(page.getByRole('button', { name: '30s' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByTestId('lifetimes').focus();
  await page.keyboard.press('+');
  await expect(page).toHaveURL(/lives=\d{19},\d{19}/);
  const shown = page.getByTestId('lifetimes');
  const [from, to] = [await shown.getAttribute('data-from'), await shown.getAttribute('data-to')];
  await page.reload();
  await expect(shown).toHaveAttribute('data-from', from ?? '');
  await expect(shown).toHaveAttribute('data-to', to ?? '');
});

test('an instant that is not known is told, with the nearest', async ({ page }) => {
  await TreePage.open(page, dendro);
  const notice = page.getByRole('alert');
  await page.goto(`${dendro.origin}/?at=1600000000000000000`);
  await expect(notice).toContainText(/The link is of 2020-09-13 .*known from/);
  await notice.getByRole('button', { name: /the nearest$/ }).click();
  await expect(notice).toHaveCount(0);
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(page.getByTestId('tree-row').first()).toBeVisible();
  await page.goto(`${dendro.origin}/?at=1999999999999999999`);
  await expect(notice).toContainText('The link is of 2033-05-18');
  await notice.getByRole('button', { name: 'Go to the present' }).click();
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
  await page.goto(`${dendro.origin}/?at=2026-11-2`);
  await expect(notice).toContainText('an instant that cannot be read');
  await notice.getByRole('button', { name: 'Close' }).click();
  await expect(notice).toHaveCount(0);
});

/** Posts the lives of two processes below init, the second of which ended a minute ago. */
async function post(server: Dendro): Promise<void> {
  const ns = (secondsAgo: number) => String(BigInt(Date.now() - secondsAgo * 1000) * 1_000_000n);
  const boot = ns(3600);
  const line = (eventName: string, at: string, tid: number, start: string, name: string, args: object) =>
    JSON.stringify({
      eventName,
      timestamp: at,
      threadStartTime: start,
      hostThreadId: tid,
      hostProcessId: tid,
      hostParentProcessId: tid === 1 ? 0 : 1,
      processName: name,
      args: Object.entries(args).map(([name, value]) => ({ name, value })),
    });
  const [first, second, end] = [ns(120), ns(90), ns(60)];
  const forked = (pid: number, at: string) =>
    line('sched_process_fork', at, 1, boot, 'systemd', { child_tid: pid, child_pid: pid, start_time: at });
  const ran = (pid: number, at: string, name: string) =>
    line('sched_process_exec', at, pid, at, name, { pathname: `/bin/${name}`, argv: [name] });
  const exit = line('sched_process_exit', end, 4243, second, 'has-ended', { exit_code: 0, process_group_exit: true });
  const lines = [
    forked(4242, first),
    ran(4242, first, 'still-here'),
    forked(4243, second),
    ran(4243, second, 'has-ended'),
    exit,
  ];
  const answer = await fetch(`${server.origin}/api/v1/hosts/local/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}` },
    body: lines.join('\n'),
  });
  expect(await answer.json()).toEqual({ accepted: lines.length, rejected: {} });
}

test('a process of another run, one that has ended and one that is not known are told, with a way to the nearest', async ({
  page,
}) => {
  const fed = await Dendro.start({ args: ['--port', '0', '--source', 'none'] });
  try {
    await post(fed);
    const tree = await TreePage.open(page, fed);
    const notice = page.getByRole('alert');
    await page.goto(`${fed.origin}/?task=7&pid=4242&run=17`);
    await expect(notice).toContainText(
      'another run of dendro: its ids mean nothing in this one. It was about process 4242',
    );
    await notice.getByRole('button', { name: 'Show still-here [4242], which has that pid here' }).click();
    await expect(tree.row(4242)).toHaveAttribute('aria-selected', 'true');
    await expect(notice).toHaveCount(0);

    await page.goto(`${fed.origin}/?task=999999&pid=999999`);
    await expect(notice).toContainText('Process 999999 of the link is not known at this instant');
    await notice.getByRole('button', { name: 'Close' }).click();
    await expect(notice).toHaveCount(0);

    const { tasks } = await (await fed.get('/api/v1/hosts/local/tree?exited=true')).json();
    const idOf = (wanted: number) => tasks.find(({ pid }: { readonly pid: number }) => pid === wanted).taskId;
    const taskId = idOf(4243);
    await page.goto(`${fed.origin}/?task=${taskId}`);
    // It is shown, however long ago it ended.
    await expect(tree.row(4243)).toHaveAttribute('aria-selected', 'true');
    await expect(tree.row(4243)).toBeInViewport();
    await expect(notice).toHaveCount(0);
    await page.goto(`${fed.origin}/?task=${taskId}&scope=${idOf(4242)}`);
    await expect(notice).toContainText('has-ended [4243] of the link is left out of what is shown');
    await notice.getByRole('button', { name: 'Show it' }).click();
    await expect(tree.row(4243)).toHaveAttribute('aria-selected', 'true');
    await page.goto(`${fed.origin}/?task=${idOf(4242)}&show=containers`);
    await expect(notice).toContainText('still-here [4242] of the link is left out of what is shown');
    await notice.getByRole('button', { name: 'Show it' }).click();
    await expect(tree.row(4242)).toBeInViewport();
    await expect(page).not.toHaveURL(/show=/);
  } finally {
    await fed.stop();
  }
});
