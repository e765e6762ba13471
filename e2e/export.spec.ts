// What the tree shows as a file: as it is filtered, folded and held, and each
// file says what it is an extract of.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-export-'));
});
test.afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-(pid ?? 0), 'SIGKILL');
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A shell under a name of its own with two sleepers below it, one of which has a hostile name. */
function family(name: string): ChildProcess {
  const [shell, evil] = [join(folder, name), join(folder, '=cmd,"<b>\u202e')];
  copyFileSync('/bin/bash', shell);
  copyFileSync('/bin/sleep', evil);
  const script = `sleep 600 & '${evil}' 600 & wait`;
  const child = spawn(shell, ['-c', script], { detached: true, stdio: 'ignore' });
  started.push(child);
  return child;
}

/** Without what goes on while an instant is held, and what a busy host still tells of it: who else there was. */
function lasting({
  version: _,
  window: __,
  link: ___,
  total: ____,
  reason: _____,
  ...about
}: Record<string, unknown>): object {
  return about;
}

async function save(page: Page, format: string): Promise<{ readonly name: string; readonly text: string }> {
  await page.getByTestId('export').click();
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: new RegExp(`^${format} `) }).click(),
  ]);
  await expect(page.getByTestId('notice').getByRole('status')).toHaveText(/^\S+: [\d,]+ rows? saved$/);
  return { name: saved.suggestedFilename(), text: readFileSync(await saved.path(), 'utf8') };
}

test('the rows that are seen are saved in every format, with query, instant, host and what is left out', async ({
  page,
}) => {
  const parent = family('exp-fam');
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill(`under:${parent.pid} !name:exp-fam`);
  await expect(tree.rows.filter({ hasText: '600' })).toHaveCount(3);
  await tree.grid.focus();
  await page.keyboard.press('Space');
  await expect(page).toHaveURL(/at=\d+/);
  const rows = Number(await tree.grid.getAttribute('aria-rowcount')) - 1;

  const json = await save(page, 'JSON');
  expect(json.name).toMatch(/^tree-.+-\d{8}T\d{6}Z\.json$/);
  const { about, tasks } = JSON.parse(json.text);
  const at = new URL(page.url()).searchParams.get('at');
  expect(about).toMatchObject({
    dendro: expect.stringMatching(/^\d/),
    host: 'local',
    hostName: (await page.locator('.host-name').textContent()) ?? '',
    at,
    isLive: false,
    query: `under:${parent.pid} !name:exp-fam`,
    show: 'all',
    scope: null,
    returned: rows,
    truncated: true,
    reason: expect.stringContaining('left out by the query'),
  });
  expect(about.total).toBeGreaterThan(rows);
  expect(BigInt(about.window.from)).toBeLessThan(BigInt(about.window.to));
  expect(about.version).toBeGreaterThan(0);
  expect(tasks).toHaveLength(rows);
  const matches = tasks.filter(({ matches }: { readonly matches: boolean }) => matches);
  expect(matches.map(({ ppid: _, ...task }: { readonly ppid: number; readonly cmd: string[] }) => task.cmd[1])).toEqual(
    ['600', '600'],
  );
  // Who leads there is in it too.
  expect(tasks.find(({ pid }: { readonly pid: number }) => pid === parent.pid)).toMatchObject({ matches: false });
  expect(tasks[0]).toMatchObject({ depth: 0, parentTaskId: null });

  const [head, ...lines] = (await save(page, 'NDJSON')).text.trimEnd().split('\n');
  expect(lasting(JSON.parse(head ?? '').about)).toEqual(lasting(about));
  expect(lines.map((line) => JSON.parse(line))).toEqual(tasks);

  const csv = await save(page, 'CSV');
  const read = `import csv,json,sys
f = sys.stdin
about = json.loads(f.readline()[2:])
print(json.dumps([about, list(csv.DictReader(f))]))`;
  const python = spawnSync('python3', ['-c', read], { input: csv.text, encoding: 'utf8' });
  const [told, records] = JSON.parse(python.stdout);
  expect(lasting(told)).toEqual(lasting(about));
  expect(records).toHaveLength(rows);
  // Nothing that a spreadsheet would compute.
  expect(records.map(({ comm }: { readonly comm: string }) => comm)).toContain(`'=cmd,"<b>\u202e`);

  const text = (await save(page, 'Text')).text.split('\n');
  expect(text[0]).toContain(`as of ${about.time}`);
  expect(text.filter((line) => /^[│ ]*[├└]─ exp-fam \[\d+\]/.test(line))).toHaveLength(1);
  expect(text.some((line) => /^[│ ]+[├└]─ =cmd,"<b>\\u\{202e\} \[\d+\]/.test(line))).toBe(true);
  expect(text.join('')).not.toContain('\u202e');

  const dot = (await save(page, 'DOT')).text;
  expect(dot.match(/ -> /g)).toHaveLength(rows - 1);
  const svg = (await save(page, 'SVG')).text;
  const count = `import sys,xml.etree.ElementTree as t
print(len(t.fromstring(sys.stdin.read()).findall('{http://www.w3.org/2000/svg}text')))`;
  expect(spawnSync('python3', ['-c', count], { input: svg, encoding: 'utf8' }).stdout).toBe(`${rows + 1}\n`);
});

test('folded rows are counted, or are in the file when that is asked for; by keys alone', async ({ page }) => {
  const parent = family('exp-fold');
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(parent.pid);
  await tree.grid.focus();
  await page.keyboard.press('s');
  await expect(tree.rows).toHaveCount(3);
  await page.keyboard.press('ArrowLeft');
  await expect(tree.rows).toHaveCount(1);
  const folded = JSON.parse((await save(page, 'JSON')).text);
  expect(folded.tasks).toMatchObject([{ pid: parent.pid, folded: 2 }]);
  expect(folded.about).toMatchObject({ returned: 1, total: 3, truncated: true, withFolded: false });
  expect(folded.about.reason).toContain('2 in rows that are folded');
  expect(folded.about.scope).toMatchObject({ pid: parent.pid });

  await tree.grid.focus();
  await page.keyboard.press('e');
  await expect(page.getByRole('button', { name: /^JSON/ })).toBeFocused();
  await page.getByRole('checkbox', { name: 'Folded rows too' }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: /^JSON/ }).focus();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  const whole = JSON.parse(readFileSync(await saved.path(), 'utf8'));
  expect(whole.about).toMatchObject({ returned: 3, total: 3, withFolded: true });
  expect(whole.tasks).toHaveLength(3);
  // The link in the file leads back to what was shown.
  expect(whole.about.link).toContain(`at=${whole.about.at}`);
});

test('the command palette copies the tree as text, and what makes files is fetched only then', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  const parent = family('exp-copy');
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(parent.pid);
  await tree.grid.focus();
  await page.keyboard.press('s');
  await expect(tree.rows).toHaveCount(3);
  expect(scripts.join()).not.toContain('tree-file');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('copy the tree as text');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('notice').getByRole('status')).toHaveText('3 rows copied as a text tree');
  expect(scripts.join()).toContain('tree-file');
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).trimEnd().split('\n');
  const rows = lines.filter((line) => !line.startsWith('#'));
  expect(rows).toHaveLength(3);
  expect(rows[0]).toMatch(/^exp-copy \[\d+\] {2}\S+ {2}running/);
  expect(rows[1]).toMatch(/^├─ /);
  expect(rows[2]).toMatch(/^└─ /);
});
