// The past in a real browser, over a real server: frames while the playhead is
// dragged over 20,000 tasks, alone and while two instants are compared; and how
// long it takes from asking for an instant of the history until its rows are
// painted. `node apps/web/bench/browser/scrub.ts` prints the rows by itself.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProcessTree } from '@dendro/engine';
import { type EventNs, encodeBatchRecord, encodeRecordingEnd, encodeRecordingStart } from '@dendro/protocol';
import { type Browser, chromium, type Page } from '@playwright/test';

export const name = 'scrub';
export const goal = 'dragging over 20,000 tasks: p95 of frames ≤ 33 ms; an instant of the history: p95 ≤ 200 ms';

/** A line of the table. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly isKept: boolean | undefined;
}

const MAIN = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url));
const MADE_HISTORY = fileURLToPath(new URL('../../../../packages/history/bench/made-history.ts', import.meta.url));
const TASKS = 20_000;
const SPAN_NS = 600e9;
const SECONDS = 8;
const INSTANTS = 12;
const FRAME_MS = 33;
const INSTANT_MS = 200;

export async function run(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-scrub-'));
  const executablePath = process.env['CHROMIUM_PATH'];
  const browser = await chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  try {
    const only = process.env['SCRUB_ONLY'];
    return [
      ...(only === 'instants' ? [] : await dragging(browser, folder)),
      ...(only === 'dragging' ? [] : await instants(browser, folder)),
    ];
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** Frames of an empty page say what the machine can do. */
async function dragging(browser: Browser, folder: string): Promise<Row[]> {
  const file = join(folder, 'large.dendro');
  writeFileSync(file, largeRecording());
  const { url, stop } = await serve(['--no-history', '--source', `replay:${file}`, '--max-processes', '60000']);
  const empty = await browser.newPage();
  const idle = await framesWhile(empty, () => new Promise((resolve) => setTimeout(resolve, 2000)));
  await empty.close();
  const page = await open(browser, url, TASKS);
  const drag = await framesWhile(page, () => dragFor(page, SECONDS));
  await page.keyboard.press('a');
  const compared = await framesWhile(page, () => dragFor(page, SECONDS));
  await page.close();
  await stop();
  const count = TASKS.toLocaleString('en');
  return [
    rowOf(`frames of an empty page`, idle, undefined),
    rowOf(`frames while dragging over ${count} tasks that live, as many come and go`, drag, FRAME_MS),
    rowOf(`the same while what is under the playhead is compared with another instant`, compared, FRAME_MS),
  ];
}

async function instants(browser: Browser, folder: string): Promise<Row[]> {
  const data = join(folder, 'history');
  const made = execFileSync(process.execPath, [MADE_HISTORY, data, '--facts', '2000000', '--births', '100'], {
    encoding: 'utf8',
  });
  const { from, to } = JSON.parse(made) as { from: string; to: string };
  const { url, stop } = await serve(['--source', 'none', '--data-dir', data]);
  const instant = (share: number) => BigInt(from) + BigInt(Math.round(Number(BigInt(to) - BigInt(from)) * share));
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(() => localStorage.setItem('dendro-alike', 'apart'));
  await page.goto(`${url}&at=${instant(0.5)}`);
  await page.locator('[data-testid="tree-row"]').first().waitFor();
  let rows = 0;
  const times: number[] = [];
  for (let i = 0; i < INSTANTS; i++) {
    await quiet(page);
    // Far enough from the last one that no window reaches it.
    const share = 0.2 + 0.6 * ((i * 0.618_034 + 0.3) % 1);
    times.push(await paintedAt(page, String(instant(share))));
    rows = Number(await page.getByTestId('tree-grid').getAttribute('aria-rowcount'));
  }
  await page.close();
  await stop();
  const what = `an instant of the history with ${rows.toLocaleString('en')} rows, from Enter to painted`;
  return [rowOf(what, times, INSTANT_MS)];
}

/** Types an instant; from the key until its rows are painted. */
async function paintedAt(page: Page, epochNs: string): Promise<number> {
  const field = page.getByTestId('time-field');
  await field.fill(epochNs);
  const painted = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const grid = document.querySelector('[data-testid="tree-grid"]') as HTMLElement;
        let from = 0;
        addEventListener('keydown', (event) => (from = event.timeStamp), { capture: true, once: true });
        const observer = new MutationObserver(() => {
          observer.disconnect();
          // The task after a frame's: by then the frame is painted.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.now() - from);
            port2.postMessage(undefined);
          });
        });
        observer.observe(grid, { attributes: true, attributeFilter: ['data-at'] });
      }),
  );
  await field.press('Enter');
  return painted;
}

/** Until nothing has been asked for a while, so that what is measured has the server for itself. */
async function quiet(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
}

async function open(browser: Browser, url: string, rows: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(() => localStorage.setItem('dendro-alike', 'apart'));
  await page.goto(url);
  await page.waitForFunction(
    (rows) => Number(document.querySelector('[data-testid="tree-grid"]')?.getAttribute('aria-rowcount')) > rows,
    rows,
    { timeout: 120_000 },
  );
  return page;
}

/** To and fro over the middle of the strip, as fast as the page takes it, with a button held. */
async function dragFor(page: Page, seconds: number): Promise<void> {
  const box = await page.getByTestId('time-strip').boundingBox();
  if (box === null) throw new Error('there is no strip');
  const y = box.y + 15;
  const until = performance.now() + seconds * 1000;
  await page.mouse.move(box.x + box.width * 0.8, y);
  await page.mouse.down();
  for (let step = 0; performance.now() < until; step++) {
    const share = 0.5 + 0.4 * Math.cos(step / 40);
    await page.mouse.move(box.x + box.width * share, y);
  }
  await page.mouse.up();
}

/** Milliseconds between frames. */
async function framesWhile(page: Page, doIt: () => Promise<void>): Promise<readonly number[]> {
  await page.evaluate(() => {
    const frames: number[] = [];
    let last = performance.now();
    const frame = (now: number): void => {
      frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(globalThis, { frames });
  });
  await doIt();
  return page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames.splice(0));
}

/** As many processes live as come and go, over ten minutes. */
function largeRecording(): Uint8Array {
  const epochNs = 1_700_000_000_000_000_000n;
  const host = new ProcessTree({ maxProcesses: 3 * TASKS, maxThreads: 10 });
  host.apply({ type: 'clock', epochNs });
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const bear = (tid: number, creatorTid: number, at: number): void => {
    const path = `/usr/bin/${['node', 'python3', 'sh', 'java', 'nginx'][random(5)]}`;
    host.apply({ type: 'fork', at: at as EventNs, tid, pid: tid, creatorTid, cloneFlags: 0 });
    const argv = [path, '--config', `/etc/site-${random(5000)}.conf`];
    const comm = path.slice('/usr/bin/'.length);
    host.apply({ type: 'exec', at: (at + 1e5) as EventNs, pid: tid, comm, argv, executable: { path }, uid: random(3) });
  };
  for (let i = 0; i < TASKS; i++) bear(2 + i, i < 10 ? 1 : 2 + random(Math.min(i, 2000)), i * 1e5);
  for (let i = 0; i < TASKS; i++) {
    const at = 5e9 + (i * (SPAN_NS - 5e9)) / TASKS;
    const tid = 100_000 + i;
    bear(tid, 2 + random(2000), at);
    host.apply({ type: 'exit', at: (at + 2e7) as EventNs, tid, pid: tid, isGroupDead: true, code: 0 });
  }
  const { bytes, from, to } = host.commit() ?? {};
  if (bytes === undefined || from === undefined || to === undefined) throw new Error('nothing was told');
  const now = SPAN_NS as EventNs;
  return Buffer.concat([
    encodeRecordingStart({
      host: { name: 'large', baseEpochNs: String(epochNs), users: {} },
      source: 'ebpf',
      createdEpochNs: String(epochNs),
    }),
    encodeBatchRecord({
      ...{ kind: 'batch', isLast: false, from, to, now, bytes },
      ...{ isDeflated: false, batchBytes: bytes.length },
    }),
    encodeRecordingEnd(now, { events: 5 * TASKS, lost: 0, rejected: {}, notices: [] }),
  ]);
}

async function serve(args: readonly string[]): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  for (let waited = 0; waited < 60_000; waited += 20) {
    const url = /http:\/\/\S+\?token=\S+/.exec(output)?.[0];
    const stop = async (): Promise<void> => {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    };
    if (url !== undefined) return { url, stop };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`dendro did not start:\n${output}`);
}

function rowOf(what: string, figures: readonly number[], goal: number | undefined): Row {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    what,
    figure: `p50 ${at(0.5).toFixed(1)}, p95 ${at(0.95).toFixed(1)} ms`,
    goal: goal === undefined ? '' : `p95 ≤ ${goal} ms`,
    isKept: goal === undefined ? undefined : at(0.95) <= goal,
  };
}

if (import.meta.main) {
  for (const { what, figure, goal, isKept } of await run()) {
    console.log(`| ${what} | ${figure} | ${goal} | ${isKept === undefined ? '' : isKept ? 'kept' : 'missed'} |`);
  }
}
