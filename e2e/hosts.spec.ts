// Several hosts in one feed: another one is chosen in the header, by mouse or
// keyboard, and what is shown of it is told to whoever does not see it.

import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const BOOT = String(BigInt(Date.now() - 60_000) * 1_000_000n);
let dendro: Dendro;
test.beforeEach(async () => {
  dendro = await Dendro.start({ args: ['--port', '0', '--source', 'none'] });
});
test.afterEach(() => dendro.stop());

/** Init and one child on a host, now. The pids are the same everywhere, the programs are not. */
async function post(hostName: string, program: string, pid = 4242): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const line = (eventName: string, at: bigint, tid: number, threadStartTime: string, args: object) =>
    JSON.stringify({
      eventName,
      timestamp: String(at),
      threadStartTime,
      hostThreadId: tid,
      hostProcessId: tid,
      hostParentProcessId: tid === 1 ? 0 : 1,
      processName: tid === 1 ? 'systemd' : program,
      hostName,
      args: Object.entries(args).map(([name, value]) => ({ name, value })),
    });
  const body = [
    line('sched_process_fork', now, 1, BOOT, { child_tid: pid, child_pid: pid, start_time: String(now) }),
    line('sched_process_exec', now + 1n, pid, String(now), { pathname: `/bin/${program}`, argv: [program, '--serve'] }),
  ].join('\n');
  const answer = await fetch(`${dendro.origin}/api/v1/hosts/local/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dendro.token}` },
    body,
  });
  expect(await answer.json()).toEqual({ accepted: 2, rejected: {} });
}

const button = (page: Page) => page.getByTestId('host-button');
const choices = (page: Page) => page.getByTestId('host-choice');
const told = (page: Page) => page.locator('.host-picker [role="status"]');

test('a host that appears is told, and choosing it shows its tree and keeps the view', async ({ page }) => {
  await post('web-07', 'nginx');
  const tree = await TreePage.open(page, dendro);
  await expect(tree.row(4242)).toContainText('nginx');
  await expect(page.locator('.host-name')).toHaveText('web-07');
  await expect(button(page)).toHaveCount(0); // nothing to choose from
  await tree.filter('serve');

  await post('db-01', 'postgres');
  await expect(page.getByTestId('hosts-new')).toHaveText('1 new');
  await expect(told(page)).toHaveText('1 host appeared: db-01. Shown: web-07.');
  await button(page).click();
  await expect(page.getByTestId('hosts-new')).toHaveCount(0);
  await expect(choices(page)).toHaveText([/web-07\s*none\s*live/, /db-01\s*none\s*live/]);
  await expect(choices(page).first()).toHaveAttribute('aria-current', 'true');
  await choices(page).nth(1).click();

  await expect(tree.row(4242)).toContainText('postgres');
  await expect(told(page)).toHaveText('Shown: db-01.');
  await expect(page.getByTestId('filter')).toHaveValue('serve');
  await expect(page).toHaveURL(/[?&]host=db-01(&|$)/);
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');

  await page.reload();
  await expect(tree.row(4242)).toContainText('postgres');
  await post('db-01', 'psql', 4243);
  await tree.filter('');
  await expect(tree.row(4243)).toContainText('psql');
});

test('the keyboard alone goes to another host and back', async ({ page }) => {
  await post('web-07', 'nginx');
  await post('db-01', 'postgres');
  const tree = await TreePage.open(page, dendro);
  await button(page).focus();
  await page.keyboard.press('Enter');
  await expect(choices(page).first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(choices(page).nth(1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(tree.row(4242)).toContainText('postgres');
  await expect(button(page)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(choices(page).nth(1)).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(tree.row(4242)).toContainText('nginx');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(choices(page).first()).toBeHidden();
  await expect(button(page)).toBeFocused();
});

test('a held instant is held on the next host too, and details of another task are not shown', async ({ page }) => {
  await post('web-07', 'nginx');
  await post('db-01', 'postgres');
  const tree = await TreePage.open(page, dendro);
  await tree.row(4242).dblclick();
  await expect(page.getByTestId('details')).toContainText('nginx');
  await page.keyboard.press('Space');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(page).toHaveURL(/[?&]at=\d+/);
  const at = new URL(page.url()).searchParams.get('at');
  await post('db-01', 'late', 4243);
  await button(page).click();
  await choices(page).nth(1).click();
  await expect(tree.row(4242)).toContainText('postgres');
  await expect(tree.row(4243)).toHaveCount(0);
  await expect(page.getByTestId('details')).toContainText('Select a row');
  await expect(page).toHaveURL(/[?&]host=db-01/);
  expect(new URL(page.url()).searchParams.get('at')).toBe(at);
  await page.getByTestId('pause').click();
  await expect(tree.row(4243)).toBeVisible();
});

test('among many hosts one is found by its name, and hostile names are written out', async ({ page }) => {
  for (let i = 0; i < 20; i++) await post(`web-${String(i).padStart(2, '0')}`, `prog${i}`);
  await post('<b>x</b>\u202e', 'evil');
  const tree = await TreePage.open(page, dendro);
  await button(page).click();
  const find = page.getByLabel('Find a host by a part of its name');
  await expect(find).toBeFocused();
  await expect(choices(page)).toHaveCount(21);
  await find.fill('<b>');
  await expect(choices(page)).toHaveText([/<b>x<\/b>\\u\{202e\}/]);
  await find.fill('WEB-17');
  await page.keyboard.press('Enter');
  await expect(tree.row(4242)).toContainText('prog17');
  await page.setViewportSize({ width: 390, height: 800 });
  await button(page).click();
  await expect(choices(page).first()).toBeInViewport({ ratio: 1 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('a link to a host that is not there says so, and shows it when it appears', async ({ page }) => {
  await post('web-07', 'nginx');
  await page.goto(`${dendro.url}&host=db-01`);
  await expect(page.getByRole('alert')).toContainText('No host db-01');
  await expect(page.getByRole('button', { name: 'Show web-07' })).toBeVisible();
  await post('db-01', 'postgres');
  const tree = new TreePage(page);
  await expect(tree.row(4242)).toContainText('postgres');
});

test('the list of hosts tells how each is, sorts, stands in the address and leads to a host', async ({ page }) => {
  await post('web-07', 'nginx');
  for (const pid of [4242, 4243, 4244]) await post('db-01', 'postgres', pid);
  await TreePage.open(page, dendro);
  await page.keyboard.press('H');
  await expect(page).toHaveURL(/[?&]view=hosts(&|$)/);
  const table = page.getByRole('table', { name: 'Hosts of this server' });
  const rows = page.getByTestId('host-row');
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText('db-01');
  await expect(table.getByRole('columnheader')).toHaveText([
    ...['Host', 'Source', 'Lag', 'Events/s', 'Lost', 'Gaps', 'Living', 'Recorded since', 'History', 'Last event'],
  ]);
  await expect(rows.first()).toContainText('in memory only');
  await expect(rows.first()).toContainText(/none\s*live/);
  await expect(table.getByRole('row').last()).toContainText('Together');
  await expect(page.getByRole('button', { name: 'web-07', exact: true })).toBeFocused();

  // It is asked for again while it is seen.
  await post('app-03', 'node');
  await expect(rows).toHaveCount(3);
  await table.getByRole('button', { name: 'Living' }).click();
  await expect(table.getByRole('columnheader', { name: 'Living' })).toHaveAttribute('aria-sort', 'descending');
  await expect(rows.first()).toContainText('db-01');
  await table.getByRole('button', { name: 'Living' }).click();
  await expect(rows.last()).toContainText('db-01');

  await page.reload();
  await expect(rows).toHaveCount(3);
  await page.getByRole('button', { name: 'app-03', exact: true }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const tree = new TreePage(page);
  await expect(tree.row(4243)).toContainText('postgres');
  await expect(page).toHaveURL(/[?&]host=db-01/);
  await expect(page).not.toHaveURL(/view=hosts/);
  await button(page).click();
  await page.getByRole('button', { name: /^All hosts/ }).click();
  await expect(table).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(tree.row(4243)).toBeVisible();
});

test('one host has a list too, with what it is missing; when the server is gone the list says of when it is', async ({
  page,
}) => {
  await post('web-07', 'nginx');
  await TreePage.open(page, dendro);
  await page.getByRole('button', { name: 'Host web-07: hosts of this server' }).click();
  await expect(page.getByTestId('host-row')).toHaveCount(1);
  await expect(page.getByText('One host is watched.')).toBeVisible();
  await page.setViewportSize({ width: 420, height: 800 });
  await expect(page.getByRole('combobox', { name: 'Sort' })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(420);
  await dendro.stop('SIGKILL');
  await expect(page.getByRole('status').filter({ hasText: 'The server does not answer. This is of' })).toBeVisible();
  await expect(page.getByTestId('host-row')).toHaveCount(1);
});
