// Scrubbing: what has ended is found by dragging, in a recording, in what the page holds and in what only the history
// does; what is chosen stays chosen; and the strip shows what is missing.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro, MAIN } from './helpers/dendro.ts';
import { MORNING, morningNs, writeMorning } from './helpers/recorded-morning.ts';
import { requestsFromNow, TreePage } from './helpers/tree-page.ts';

const STEP_PX = 6;
const MOST_PASSES = 5;

let folder: string;
let recorded: Dendro;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-scrub-'));
  const [told, file] = [join(folder, 'morning.strace'), join(folder, 'morning.dendro')];
  writeMorning(told);
  const made = spawnSync(process.execPath, [MAIN, 'record', '--source', `strace:${told}`, '-o', file]);
  expect(made.status, String(made.stderr)).toBe(0);
  recorded = await Dendro.start({ args: ['--port', '0', '--source', `replay:${file}`] });
});
test.afterAll(async () => {
  await recorded.stop();
  rmSync(folder, { recursive: true });
});

const named = (page: Page, name: string) => page.locator('[data-testid="tree-row"]', { hasText: name });
const slider = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

/** A process of this name that lives for so long; ended when this returns. */
function live(name: string, seconds: string): void {
  const program = join(folder, name);
  copyFileSync('/bin/sleep', program);
  spawnSync(program, [seconds]);
}

async function stripBox(page: Page) {
  const box = await page.getByTestId('time-strip').boundingBox();
  if (box === null) throw new Error('the strip is not there');
  return box;
}

/** Drags from the right edge of the strip to the left until the row is there and runs; what has to be fetched comes meanwhile. */
async function dragUntilRunning(page: Page, name: string): Promise<void> {
  const { x, y, width } = await stripBox(page);
  const running = page.locator('[data-testid="tree-row"][data-state="running"]', { hasText: name });
  for (let pass = 0; pass < MOST_PASSES && !(await running.isVisible()); pass++) {
    await page.mouse.move(x + width - 10, y + 15);
    await page.mouse.down();
    for (let to = x + width - 10; to > x && !(await running.isVisible()); to -= STEP_PX) {
      await page.mouse.move(to, y + 15);
      await drawn(page);
    }
    await page.mouse.up();
  }
  await expect(running).toBeVisible();
}

function drawn(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}

test.describe('dragging finds who has ended', () => {
  test('in a recording file that is replayed', async ({ page }) => {
    await page.goto(recorded.url ?? '');
    await expect(page.getByTestId('live-state')).toHaveText('END');
    await expect(named(page, 'curl')).toHaveCount(0);
    const requests = await requestsFromNow(page);
    await dragUntilRunning(page, 'curl');
    expect(requests).toEqual([]);
    await expect(named(page, 'curl')).toHaveAttribute('data-pid', '200');
    await expect(named(page, 'curl')).toHaveAttribute('aria-level', '4'); // init > sshd > bash > curl
    await expect(new TreePage(page).row(101)).toHaveAttribute('aria-level', '3');
  });

  test('in a live history: what the page holds without a request, what is older out of the history', async ({
    page,
  }) => {
    const data = mkdtempSync(join(tmpdir(), 'dendro-scrub-data-'));
    const args = ['--port', '0', '--data-dir', data];
    const dendro = await Dendro.start({ args });
    try {
      live('before-page', '1.5');
      await dendro.recorded();
      const tree = await TreePage.open(page, dendro);
      live('seen-by-page', '1.5');
      const requests = await requestsFromNow(page);
      const windows = () => requests.filter((url) => url.includes('/window?')).length;
      await find('seen-by-page');
      expect(windows()).toBe(0);
      await page.keyboard.press('L');
      await expect(page.getByTestId('live-state')).toHaveText('LIVE');
      await find('before-page');
      expect(windows()).toBeGreaterThan(0);
      await expect(page.getByTestId('live-state')).toHaveText('PAUSED');

      async function find(name: string): Promise<void> {
        await tree.filter(`name:${name}`);
        await tree.grid.focus(); // suggestions would lie over the strip
        await expect(page.locator('[data-state="running"]', { hasText: name })).toHaveCount(0);
        await dragUntilRunning(page, name);
        await expect(tree.row(process.pid)).toBeVisible();
        await tree.grid.focus();
      }
    } finally {
      await dendro.stop();
      rmSync(data, { recursive: true });
    }
  });
});

test('what is selected and folded, and where the list is scrolled to, stay from instant to instant and back to the present', async ({
  page,
}) => {
  const dendro = await Dendro.start({ args: ['--port', '0', '--source', 'none'] });
  try {
    await postDaemons(dendro);
    const tree = await TreePage.open(page, dendro);
    await expect(page.getByTestId('live-state')).toHaveText('LIVE');
    await goTo(page, '-80s');
    const rowCount = async () => Number(await tree.grid.getAttribute('aria-rowcount'));
    await expect.poll(rowCount).toBeGreaterThan(DAEMONS * (CHILDREN + 1));
    const folded = await tree.reveal(daemonPid(25));
    await tree.grid.focus();
    await page.keyboard.press('ArrowLeft');
    await expect(folded).toHaveAttribute('aria-expanded', 'false');
    const chosen = await tree.reveal(childPid(26, 2));
    await page.mouse.move(0, 0);
    const [all, place] = [await rowCount(), await placeOf(page)];
    expect(place.scrollTop).toBeGreaterThan(200);

    const isAsItWas = async () => {
      await expect(chosen).toHaveAttribute('aria-selected', 'true');
      await expect(folded).toHaveAttribute('aria-expanded', 'false');
      await expect(tree.row(childPid(25, 0))).toHaveCount(0);
      await expect.poll(async () => (await placeOf(page)).rowTop).toBeCloseTo(place.rowTop, 0);
    };
    // Above it the children of ten have ended: the list is scrolled by as much.
    const gone = ENDING * CHILDREN;
    await goTo(page, '-20s');
    await expect.poll(rowCount).toBe(all - gone);
    await isAsItWas();
    expect((await placeOf(page)).scrollTop).toBeLessThan(place.scrollTop - 100);
    await goTo(page, '-80s');
    await expect.poll(rowCount).toBe(all);
    await isAsItWas();
    expect((await placeOf(page)).scrollTop).toBeCloseTo(place.scrollTop, 0);
    await page.getByTestId('tree-grid').focus();
    await page.keyboard.press('L');
    await expect(page.getByTestId('live-state')).toHaveText('LIVE');
    await expect.poll(rowCount).toBe(all - gone);
    await isAsItWas();

    async function placeOf(page: Page) {
      const box = await chosen.boundingBox();
      const scrollTop = await page.getByTestId('tree-grid').evaluate((grid) => {
        const all = [grid, ...grid.querySelectorAll('*')];
        return Math.max(0, ...all.map((one) => one.scrollTop), grid.parentElement?.scrollTop ?? 0);
      });
      return { rowTop: box?.y ?? Number.NaN, scrollTop };
    }
  } finally {
    await dendro.stop();
  }
});

test('the wheel zooms the strip where the pointer is, and moves it sideways', async ({ page }) => {
  await page.goto(`${recorded.url}&at=${morningNs(310)}`);
  const [from, to] = [slider(page, 'Beginning of the time shown'), slider(page, 'End of the time shown')];
  const seconds = async (handle: typeof from) => Number(await handle.getAttribute('aria-valuenow')) / 1000 - MORNING;
  await expect.poll(() => seconds(to)).toBeGreaterThan(600);
  const { x, y, width } = await stripBox(page);
  const share = 0.25;
  const spanOf = async () => (await seconds(to)) - (await seconds(from));
  const underPointer = async () => (await seconds(from)) + share * (await spanOf());
  const instant = await slider(page, 'Instant shown').getAttribute('aria-valuenow');
  const [whole, held] = [await spanOf(), await underPointer()];

  await page.mouse.move(x + share * width, y + 15);
  await page.mouse.wheel(0, -600);
  await expect.poll(spanOf).toBeLessThan(whole * 0.6);
  const near = await spanOf();
  expect(await underPointer()).toBeCloseTo(held, 0);
  expect(await slider(page, 'Instant shown').getAttribute('aria-valuenow')).toBe(instant);

  const left = await seconds(from);
  await page.mouse.wheel(200, 0);
  await expect.poll(() => seconds(from)).toBeGreaterThan(left);
  expect(await spanOf()).toBeCloseTo(near, 0);

  await page.mouse.wheel(0, 900);
  await expect.poll(spanOf).toBeGreaterThan(near * 2);
  await expect(page).toHaveURL(/win=/);
});

test.describe('the strip shows', () => {
  const data = mkdtempSync(join(tmpdir(), 'dendro-scrub-gaps-'));
  const args = ['--port', '0', '--data-dir', data];
  let dendro: Dendro;

  test.beforeAll(async () => {
    dendro = await Dendro.start({ args });
    live('before-the-gap', '0.5');
    await dendro.recorded();
    await dendro.stop('SIGKILL');
    spawnSync('sleep', ['4']);
    dendro = await Dendro.start({ args });
  });
  test.afterAll(async () => {
    await dendro.stop();
    rmSync(data, { recursive: true });
  });

  test('a time of which something is missing hatched, says so of an instant in it, and leads out of it', async ({
    page,
  }) => {
    const { gaps } = (await (await dendro.get('/api/v1/hosts/local/gaps')).json()) as { gaps: Gap[] };
    const long = gaps.find(({ from, to }) => BigInt(to) - BigInt(from) > 3_000_000_000n);
    if (long === undefined) throw new Error(`no gap is as long as nobody looked: ${JSON.stringify(gaps)}`);
    const [fromMs, toMs] = [Number(BigInt(long.from) / 1_000_000n), Number(BigInt(long.to) / 1_000_000n)];
    await page.goto(dendro.url ?? '');
    await expect
      .poll(async () => (await coloured(page, 'gap', fromMs, toMs)).within, { timeout: 15_000 })
      .toBeGreaterThan(0.9);
    expect((await coloured(page, 'gap', fromMs, toMs)).outside).toBeLessThan(0.05);

    const middle = (BigInt(long.from) + BigInt(long.to)) / 2n;
    const field = page.getByTestId('time-field');
    await field.fill(String(middle));
    await field.press('Enter');
    await expect(page.getByTestId('gap-note')).toContainText('Something of this instant is missing.');
    await page.getByRole('button', { name: 'Go to the nearest one' }).click();
    await expect(page.getByTestId('gap-note')).toHaveCount(0);
    const now = Number(await slider(page, 'Instant shown').getAttribute('aria-valuenow'));
    expect(now <= fromMs || now >= toMs).toBe(true);
  });

  test('that single instants are shown where too much happened for a window', async ({ page }) => {
    const answer = await dendro.get('/api/v1/hosts/local/search?q=before-the-gap');
    const { lives } = (await answer.json()) as { lives: { comm: string; startTime: string }[] };
    const at = BigInt(lives[0]?.startTime ?? 0) + 250_000_000n;
    const note = page.getByText('So much happened around here that single instants are shown');
    await page.goto(`${dendro.url}&at=${at}&q=name:before-the-gap`);
    await expect(named(page, 'before-the-gap')).toBeVisible();
    await expect(note).toHaveCount(0);
    await page.route('**/window?*', async (route) => {
      const { searchParams } = new URL(route.request().url());
      if (searchParams.get('from') === searchParams.get('to')) await route.continue();
      else await route.fulfill({ status: 413, json: { message: 'It is too much.' } });
    });
    await page.reload();
    await expect(named(page, 'before-the-gap')).toBeVisible();
    await expect(note).toBeVisible();
  });

  test('where what is kept begins: hatched before, and no instant of that can be chosen', async ({ page }) => {
    const kept = mkdtempSync(join(tmpdir(), 'dendro-scrub-kept-'));
    const began = Date.now();
    const short = await Dendro.start({ args: ['--port', '0', '--data-dir', kept, '--keep', '5s'] });
    try {
      const oldest = async () => {
        const answer = (await (await short.get('/api/v1/hosts/local/history')).json()) as { oldest: string | null };
        return Number(BigInt(answer.oldest ?? 0) / 1_000_000n);
      };
      await expect.poll(oldest, { timeout: 40_000 }).toBeGreaterThan(began + 4000);
      await page.goto(short.url ?? '');
      const strip = slider(page, 'Instant shown');
      await expect(strip).toHaveAttribute('aria-valuemin', /^\d{13}$/);
      const edge = Number(await strip.getAttribute('aria-valuemin'));
      expect(edge).toBeGreaterThan(began + 4000);
      await expect.poll(async () => (await coloured(page, 'hatch', 0, edge)).within).toBeGreaterThan(0.9);
      expect((await coloured(page, 'hatch', 0, edge)).outside).toBeLessThan(0.05);
      const { x, y } = await stripBox(page);
      await page.mouse.click(x + 20, y + 15);
      await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
      expect(Number(await strip.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(edge);
    } finally {
      await short.stop();
      rmSync(kept, { recursive: true });
    }
  });
});

interface Gap {
  readonly from: string;
  readonly to: string;
}

/**
 * Reads the pixels of the strip back.
 * @returns of the columns that show this time, in epoch milliseconds, and of all others, how many have the colour in their upper rows
 */
function coloured(
  page: Page,
  name: 'gap' | 'hatch',
  fromMs: number,
  toMs: number,
): Promise<{ readonly within: number; readonly outside: number }> {
  return page.evaluate(
    ({ name, fromMs, toMs }) => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-testid="time-strip"] canvas');
      const context = canvas?.getContext('2d');
      const numberOf = (label: string) =>
        Number(document.querySelector(`[role="slider"][aria-label="${label}"]`)?.getAttribute('aria-valuenow'));
      if (!canvas || !context || canvas.width === 0) return { within: 0, outside: 1 };
      const one = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
      one.fillStyle = getComputedStyle(canvas).getPropertyValue(`--strip-${name}`).trim();
      one.fillRect(0, 0, 1, 1);
      const wanted = one.getImageData(0, 0, 1, 1).data;
      const [from, to] = [numberOf('Beginning of the time shown'), numberOf('End of the time shown')];
      // A gap has a solid edge on top; a hatching comes by in every column of so many rows.
      const rows = Math.round((name === 'gap' ? 2 : 12) * devicePixelRatio);
      const { data } = context.getImageData(0, 0, canvas.width, rows);
      const counts = { within: [0, 0], outside: [0, 0] };
      for (let column = 0; column < canvas.width; column++) {
        const time = from + ((column + 0.5) / canvas.width) * (to - from);
        const nearMs = (3 / canvas.width) * (to - from);
        if (Math.abs(time - fromMs) < nearMs || Math.abs(time - toMs) < nearMs) continue; // on the edge
        const count = time > fromMs && time < toMs ? counts.within : counts.outside;
        let has = 0;
        for (let row = 0; row < rows; row++) {
          const at = (row * canvas.width + column) * 4;
          const isIt = [0, 1, 2].every((i) => Math.abs((data[at + i] as number) - (wanted[i] as number)) < 24);
          if (isIt && (data[at + 3] as number) > 40) has = 1;
        }
        count[0] = (count[0] as number) + has;
        count[1] = (count[1] as number) + 1;
      }
      const shareOf = ([has = 0, all = 0]: number[]) => (all === 0 ? 0 : has / all);
      return { within: shareOf(counts.within), outside: shareOf(counts.outside) };
    },
    { name, fromMs, toMs },
  );
}

async function goTo(page: Page, time: string): Promise<void> {
  const field = page.getByTestId('time-field');
  await field.fill(time);
  await field.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
}

const DAEMONS = 40;
const CHILDREN = 5;
/** Of the first so many daemons the children end. */
const ENDING = 10;
const daemonPid = (daemon: number) => 100 + daemon;
const childPid = (daemon: number, child: number) => 1000 + daemon * 10 + child;

/** A host whose events are posted: daemons, each with children of which some end a minute before now. */
async function postDaemons(dendro: Dendro): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const ago = (seconds: number) => now - BigInt(seconds) * 1_000_000_000n;
  const line = (eventName: string, at: bigint, pid: number, comm: string, args: Record<string, unknown>) =>
    JSON.stringify({
      eventName,
      timestamp: String(at),
      hostThreadId: pid,
      hostProcessId: pid,
      hostParentProcessId: 0,
      processName: comm,
      args: Object.entries(args).map(([name, value]) => ({ name, value })),
    });
  const born = (at: bigint, parent: number, pid: number, name: string) => [
    line('sched_process_fork', at, parent, 'init', { child_tid: pid, child_pid: pid, start_time: String(at) }),
    line('sched_process_exec', at + 1n, pid, name, { pathname: `/srv/${name}`, argv: [name] }),
  ];
  const lines: string[] = [];
  for (let daemon = 0; daemon < DAEMONS; daemon++) {
    lines.push(...born(ago(120), 1, daemonPid(daemon), `daemon-${daemon}`));
    for (let child = 0; child < CHILDREN; child++) {
      const pid = childPid(daemon, child);
      lines.push(...born(ago(110), daemonPid(daemon), pid, `child-${daemon}-${child}`));
      if (daemon < ENDING) lines.push(line('sched_process_exit', ago(60), pid, `child-${daemon}`, { exit_code: 0 }));
    }
  }
  const answer = await fetch(`${dendro.origin}/api/v1/hosts/local/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dendro.token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  expect(await answer.json()).toMatchObject({ accepted: lines.length });
}
