// The lineage of real processes: opened, walked, re-rooted, paused, exported.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-lineage-'));
  chmodSync(folder, 0o755); // also for the user that a part of the chain runs as
});
test.afterEach(() => {
  for (const child of started.splice(0)) process.kill(-(child.pid ?? 0), 'SIGKILL');
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A program under a name of its own. */
function program(name: string, of: string): string {
  const path = join(folder, name);
  copyFileSync(of, path);
  return path;
}

function shell(script: string, name = 'lin-shell'): ChildProcess {
  const child = spawn(program(name, '/bin/bash'), ['-c', script], { detached: true, stdio: 'ignore' });
  started.push(child);
  return child;
}

/** lin-outer (root) > lin-inner (nobody) > lin-leaf and lin-other, which sleep. */
function chain(): ChildProcess {
  const inner = program('lin-inner', '/bin/bash');
  const leaf = program('lin-leaf', '/bin/sleep');
  const other = program('lin-other', '/bin/sleep');
  const script = `setpriv --reuid=65534 --clear-groups ${inner} -c '${leaf} 600 & ${other} 600 & wait' & wait`;
  return shell(script, 'lin-outer');
}

class LineagePage {
  readonly page: Page;
  readonly graph: Locator;
  readonly nodes: Locator;
  readonly cursor: Locator;
  readonly foot: Locator;

  constructor(page: Page) {
    this.page = page;
    this.graph = page.getByTestId('lineage-graph');
    this.nodes = page.getByTestId('lineage-node');
    this.cursor = page.locator('[role="treeitem"][aria-selected="true"]');
    this.foot = page.getByTestId('lineage-foot');
  }

  /** Of a process, from the tree, by key. */
  static async open(page: Page, pid: number | undefined): Promise<LineagePage> {
    const tree = await TreePage.open(page, dendro);
    await tree.reveal(pid);
    await tree.grid.focus();
    await page.keyboard.press('l');
    const lineage = new LineagePage(page);
    await expect(lineage.graph).toBeFocused();
    return lineage;
  }

  node(name: string): Locator {
    return this.nodes.filter({ hasText: name });
  }

  async export(format: string): Promise<{ readonly name: string; readonly text: string }> {
    await this.page.getByTestId('export').click();
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.getByRole('button', { name: new RegExp(`^${format}`) }).click(),
    ]);
    await this.page.keyboard.press('Escape');
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  }
}

test('opened from the details, it shows who started a process and what it has started', async ({ page }) => {
  const outer = chain();
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  const tree = await TreePage.open(page, dendro);
  const row = await tree.reveal(outer.pid);
  await row.click();
  expect(scripts.join()).not.toContain('lineage-page');
  await page.getByTestId('open-lineage').click();
  const lineage = new LineagePage(page);
  await expect(lineage.node('lin-outer')).toBeVisible();
  expect(scripts.join()).toContain('lineage-page');
  await expect(lineage.node('lin-inner')).toContainText('root → nobody');
  await expect(lineage.node('lin-leaf')).toHaveAttribute('data-alive', 'true');
  await expect(lineage.node('lin-leaf')).toHaveAttribute('aria-label', /after its parent/);
  // It was this process that started the chain.
  await expect(page.locator(`[data-testid="lineage-node"][data-pid="${process.pid}"]`)).toBeAttached();
  await expect(lineage.foot).toContainText('3 descendants shown');
  await expect(page).toHaveURL(/view=lineage&of=\d+/);
  await expect(page.getByTestId('details')).toContainText('lin-outer');
});

test('arrow keys walk along the edges, r makes another process the subject, Escape leads back', async ({ page }) => {
  const outer = chain();
  const lineage = await LineagePage.open(page, outer.pid);
  await expect(lineage.node('lin-other')).toBeVisible();
  await expect(lineage.cursor).toContainText('lin-outer');
  await page.keyboard.press('ArrowRight');
  await expect(lineage.cursor).toContainText('lin-inner');
  await page.keyboard.press('ArrowRight');
  await expect(lineage.cursor).toContainText('lin-leaf');
  await page.keyboard.press('ArrowDown');
  await expect(lineage.cursor).toContainText('lin-other');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  const details = page.getByTestId('details');
  await expect(details.getByRole('heading')).toContainText('lin-inner');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(lineage.cursor).toHaveAttribute('data-pid', String(process.pid));
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowRight');

  const before = page.url();
  await page.keyboard.press('r');
  await expect(page).not.toHaveURL(before);
  await expect(lineage.graph).toBeFocused();
  await expect(page.getByRole('heading', { name: /^Lineage of lin-inner/ })).toBeVisible();
  await expect(lineage.foot).toContainText('2 descendants shown');
  await expect(page).toHaveURL(/view=lineage&of=\d+/);

  // A link leads to the same place.
  await page.reload();
  await expect(page.getByRole('heading', { name: /^Lineage of lin-inner/ })).toBeVisible();
  await expect(lineage.node('lin-leaf')).toBeVisible();

  await page.keyboard.press('Escape');
  await expect(lineage.graph).toHaveCount(0);
  await expect(page).not.toHaveURL(/view=/);
  await expect(page.getByTestId('tree-row').and(page.locator('[aria-selected="true"]'))).toContainText('lin-inner');
});

test('who is not alive at the instant that is shown is dimmed: paused, that instant stays', async ({ page }) => {
  const outer = chain();
  const lineage = await LineagePage.open(page, outer.pid);
  const leaf = lineage.node('lin-leaf');
  const leafPid = Number(await leaf.getAttribute('data-pid'));
  await page.keyboard.press(' ');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  process.kill(leafPid, 'SIGKILL');
  await expect(page.getByTestId('changes-since')).not.toHaveText(/^\+0/);
  await expect(leaf).toHaveAttribute('data-alive', 'true');
  await page.keyboard.press(' ');
  await expect(leaf).toHaveAttribute('data-alive', 'false');
  await expect(leaf).toContainText('SIGKILL');
  await expect(leaf).toHaveClass(/is-ended/);
  await page.keyboard.press(' ');
  await expect(leaf).toHaveAttribute('data-alive', 'false');
  await page.getByLabel('Living only').check();
  await expect(leaf).toHaveCount(0);
  await expect(lineage.foot).toContainText('1 that ended left out');
});

test('exports say what is shown, of when, and nothing that a name has smuggled in', async ({ page }) => {
  const evil = program('<b>"\\\n\u202Egnp', '/bin/sleep');
  const outer = shell(`'${evil}' 600 & wait`, 'lin-export');
  const lineage = await LineagePage.open(page, outer.pid);
  const child = lineage.nodes.filter({ hasText: 'gnp' });
  await expect(child).toBeVisible();
  const pid = String(await child.getAttribute('data-pid'));
  await page.keyboard.press(' ');
  await expect(page).toHaveURL(/at=\d{19}/);
  const at = BigInt(new URL(page.url()).searchParams.get('at') ?? 0);
  const instant = new Date(Number(at / 1_000_000n)).toISOString().slice(0, 19);

  const dot = await lineage.export('DOT');
  expect(dot.name).toMatch(new RegExp(`^lineage-lin-export-${outer.pid}-\\d{8}T\\d{6}Z\\.dot$`));
  expect(dot.text).toContain(`As of ${instant}`);
  expect(dot.text).toContain(`lin-export [${outer.pid}]`);
  expect(dot.text).toContain(`<b>\\"\\\\\\\\n\\\\u{202e}gnp [${pid}]`);
  const [ancestors, descendants] = (await lineage.foot.textContent())?.match(/\d+/g) ?? [];
  const nodes = Number(ancestors) + 1 + Number(descendants);
  expect(descendants).toBe('1');
  expect(dot.text.match(/^ {2}n\d+ \[/gm)).toHaveLength(nodes);
  expect(dot.text.match(/ -> /g)).toHaveLength(nodes - 1);

  const text = await lineage.export('Text');
  expect(text.text).toContain(`# As of ${instant}`);
  expect(text.text.split('\n').filter((line) => !line.startsWith('#') && line !== '')).toHaveLength(nodes);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('export the lineage dot');
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(readFileSync(await download.path(), 'utf8')).toBe(dot.text);

  const svg = await lineage.export('SVG');
  expect(svg.text).not.toContain('<b>');
  const parsed = await page.evaluate((source) => {
    const picture = new DOMParser().parseFromString(source, 'image/svg+xml');
    return {
      errors: picture.getElementsByTagName('parsererror').length,
      tasks: [...picture.querySelectorAll('g.task > title')].map((title) => title.textContent ?? ''),
      head: picture.querySelector('desc')?.textContent ?? '',
    };
  }, svg.text);
  expect(parsed.errors).toBe(0);
  expect(parsed.tasks).toHaveLength(nodes);
  expect(parsed.tasks.join('\n')).toContain(`<b>"\\\\n\\u{202e}gnp, pid ${pid}`);
  expect(parsed.head).toContain(instant);
});

test('repeats are one node, and what there is no room for is counted and can be asked for', async ({ page }) => {
  const outer = shell('for i in $(seq 600); do /bin/true; done; sleep 600', 'lin-many');
  const lineage = await LineagePage.open(page, outer.pid);
  await expect(lineage.foot).toContainText('601 descendants shown', { timeout: 60_000 });
  const group = page.locator('[data-testid="lineage-node"][data-count="600"]');
  await expect(group).toContainText('true');
  await page.getByLabel('Group repeats').uncheck();
  await expect(lineage.foot).toContainText('500 of 601 descendants shown');
  // Only what is in view is in the page.
  expect(await lineage.nodes.count()).toBeLessThan(80);

  await lineage.graph.focus();
  await page.keyboard.press('ArrowRight');
  for (let i = 0; i < 300; i++) await page.keyboard.press('ArrowDown');
  await expect(lineage.cursor).toContainText('+101 more');
  const { text } = await lineage.export('Text');
  expect(text).toContain('+101 more, not in this file');
  await lineage.graph.focus();
  await page.keyboard.press('Enter');
  await expect(lineage.foot).toContainText('601 descendants shown');
});

test('zooming and moving by keys, wheel and mouse', async ({ page }) => {
  const outer = chain();
  const lineage = await LineagePage.open(page, outer.pid);
  const box = async () => (await lineage.node('lin-outer').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await expect(lineage.node('lin-leaf')).toBeVisible();
  const first = await box();
  await page.keyboard.press('+');
  await expect.poll(async () => (await box()).width).toBeGreaterThan(first.width * 1.2);
  await page.keyboard.press('-');
  await expect.poll(async () => Math.round((await box()).width)).toBe(Math.round(first.width));
  await page.keyboard.press('Shift+ArrowUp');
  await expect.poll(async () => Math.round((await box()).y)).toBe(Math.round(first.y + 80));

  const surface = (await lineage.graph.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const [x, y] = [surface.x + 40, surface.y + surface.height - 40];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 50, y - 80, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Math.round((await box()).y)).toBe(Math.round(first.y));
  await page.mouse.wheel(0, -200);
  await expect.poll(async () => (await box()).width).toBeGreaterThan(first.width * 1.3);
  await page.keyboard.press('0');
  for (const name of ['lin-outer', 'lin-inner', 'lin-leaf', 'lin-other']) {
    await expect(lineage.node(name)).toBeInViewport();
  }
});

test('lives on an axis of time: those of a window, and who did not live in it is counted', async ({ page }) => {
  const outer = shell('/bin/true; (exit 3); sleep 600 & wait', 'lin-lives');
  await LineagePage.open(page, outer.pid);
  await page.getByRole('button', { name: 'Lifetimes' }).click();
  const lives = page.getByTestId('lifetimes');
  const foot = page.getByTestId('lineage-foot');
  const rows = page.getByTestId('lifetime');
  await expect(lives).toBeFocused();
  await expect(page).toHaveURL(/view=lifetimes/);
  await expect(rows).toHaveCount(4);
  await expect(rows.filter({ hasText: 'exited 3' })).toHaveCount(1);
  await expect(rows.first().locator('.bar')).toHaveClass(/is-open/);

  // The window of what is still running now: a hundredth of a second, once the others have been gone for longer.
  await page.keyboard.press('ArrowDown');
  await expect(lives.locator('[aria-selected="true"]')).toContainText('true');
  await page.keyboard.press(' ');
  const span = async () => Number(await lives.getAttribute('data-to')) - Number(await lives.getAttribute('data-from'));
  const whole = await span();
  await page.keyboard.press('+');
  await expect.poll(span).toBeLessThan(whole * 0.7);
  for (let i = 0; i < 8; i++) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('0');
  await expect.poll(span).toBe(whole);
  for (let i = 0; i < 4; i++) await page.keyboard.press('+');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowRight');
  await expect(rows).toHaveCount(2);
  await expect(rows.first().locator('.bar')).toHaveClass(/is-cut-left/);
  await expect(foot).toContainText('2 that did not live in this window left out');
  await page.keyboard.press('r');
  await expect(page.getByRole('heading', { name: /^Lineage of lin-lives/ })).toBeVisible();
});

test('what is not known any more, or not yet, is said', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.row(1).click();
  await page.keyboard.press('l');
  await expect(page.getByTestId('lineage-foot')).toContainText('no ancestor: nothing started it');
  await expect(page).toHaveURL(/run=\d+/);
  const run = new URL(page.url()).searchParams.get('run');
  await page.goto(`${dendro.origin}/?view=lineage&of=99999999&run=${run}`);
  await expect(page.getByRole('alert')).toContainText('not in memory any more');
  await page.getByRole('button', { name: 'Back to the tree' }).click();
  await expect(tree.rows.first()).toBeVisible();

  // Paused before it was born.
  await page.getByTestId('pause').click();
  await expect(page).toHaveURL(/at=\d{19}/);
  const at = new URL(page.url()).searchParams.get('at');
  const late = shell('sleep 600 & wait', 'lin-late');
  await page.getByTestId('pause').click();
  await tree.reveal(late.pid);
  await expect(page).toHaveURL(/task=\d+/);
  const of = new URL(page.url()).searchParams.get('task');
  await page.goto(`${dendro.origin}/?view=lineage&of=${of}&run=${run}&at=${at}`);
  await expect(page.getByRole('alert')).toContainText('had not started at this instant');
  await page.getByRole('button', { name: 'Go to the present' }).click();
  await expect(page.getByTestId('lineage-node').filter({ hasText: 'lin-late' })).toBeVisible();
});

test('to search leads back to the tree, and the command palette to the lineage', async ({ page }) => {
  const outer = chain();
  const lineage = await LineagePage.open(page, outer.pid);
  await page.keyboard.press('/');
  await page.keyboard.type('lin-inner');
  await expect(lineage.graph).toHaveCount(0);
  const tree = new TreePage(page);
  await expect(tree.row(outer.pid)).toBeVisible();
  await expect(page).toHaveURL(/q=lin-inner/);
  await expect(page).not.toHaveURL(/view=/);
  await tree.grid.focus();
  await page.keyboard.press('>');
  await page.keyboard.type('lineage');
  await page.keyboard.press('Enter');
  await expect(lineage.node('lin-inner')).toBeVisible();
  // Escape leads back to the search as it was.
  await lineage.graph.focus();
  await page.keyboard.press('Escape');
  await expect(tree.row(outer.pid)).toBeVisible();
  await expect(tree.omnibox).toHaveValue('lin-inner');
});

test('a chain of 12,000 forks is shown from either end', async ({ page }) => {
  const file = join(folder, 'deep.strace');
  const lines = Array.from({ length: 12_000 }, (_, i) => {
    return `${100 + i} ${1_700_000_000 + i / 100} clone(child_stack=NULL, flags=SIGCHLD) = ${101 + i}\n`;
  });
  writeFileSync(file, lines.join(''));
  const deep = await Dendro.start({ args: ['--port', '0', '--source', `strace:${file}`] });
  const tree = await TreePage.open(page, deep);
  await expect(tree.grid).toHaveAttribute('aria-rowcount', '12002');
  await tree.rows.first().click();
  await page.keyboard.press('End');
  await expect(tree.row(12_100)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('l');
  const lineage = new LineagePage(page);
  await expect(lineage.foot).toContainText('12,000 ancestors');
  await expect(lineage.cursor).toContainText('12100');
  await page.keyboard.press('Home');
  await expect(lineage.cursor).toHaveAttribute('data-reason', 'unknown');
  await expect(lineage.cursor).toBeInViewport();
  await page.keyboard.press('ArrowRight');
  await expect(lineage.cursor).toHaveAttribute('data-pid', '100');
  await page.keyboard.press('r');
  await expect(lineage.foot).toContainText('500 of 12,000 descendants shown');
  expect(await lineage.nodes.count()).toBeLessThan(80);
  await deep.stop();
});

for (const theme of ['dark', 'light'] as const) {
  test(`text is easy to read in the ${theme} theme, and a phone shows all of the tools`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme });
    const outer = shell('/bin/true; sleep 600 & (setsid sleep 600 &) ; wait', 'lin-read');
    const lineage = await LineagePage.open(page, outer.pid);
    await expect(lineage.foot).toContainText('descendants shown');
    expect(await pale(page)).toEqual([]);
    await page.getByRole('button', { name: 'Lifetimes' }).click();
    await expect(page.getByTestId('lifetime').first()).toBeVisible();
    expect(await pale(page)).toEqual([]);

    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('button', { name: 'Graph' }).click();
    await expect(lineage.cursor).toBeInViewport();
    for (const id of ['export', 'lineage-foot', 'live-state']) await expect(page.getByTestId(id)).toBeInViewport();
    await expect(page.getByRole('button', { name: 'Closer (+)' })).toBeInViewport();
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
}

/** Texts of the lineage whose contrast to their ground is below 4.5:1. */
async function pale(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    if (canvas === null) return ['no canvas'];
    const paint = (colors: readonly string[]): Uint8ClampedArray => {
      canvas.clearRect(0, 0, 1, 1);
      for (const color of colors) {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
      }
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const luminance = (pixel: Uint8ClampedArray): number => {
      const [r = 0, g = 0, b = 0] = [...pixel].map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundsOf = (element: Element | null): string[] =>
      element === null ? [] : [...groundsOf(element.parentElement), getComputedStyle(element).backgroundColor];
    const found: string[] = [];
    for (const element of document.querySelectorAll('.lineage-page *')) {
      const text = [...element.childNodes].filter(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
      );
      if (text.length === 0 || !element.checkVisibility({ visibilityProperty: true })) continue;
      const style = getComputedStyle(element);
      const color = element instanceof SVGElement ? style.fill : style.color;
      const grounds = groundsOf(element);
      const [a, b] = [luminance(paint([...grounds, color])), luminance(paint(grounds))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${element.className} ${element.textContent}`);
    }
    return found;
  });
}
