// What measurements share: real servers with made hosts, one browser, and a few
// lines in the page that note frames, long tasks and what came to be seen when.

import { existsSync } from 'node:fs';
import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test';
import { type CpuClock, type MainTask, tasksWhile } from './cpu.ts';
import { DendroServer } from './dendro-server.ts';
import { MadeHost } from './made-host.ts';

/** A line of the table. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  /** Undefined where there is no goal to keep. */
  readonly isKept: boolean | undefined;
  /** To something measured in the same run: `1.0 × an empty page`. */
  readonly beside?: string;
}

export interface Measurement {
  readonly name: string;
  readonly goal: string;
  readonly run: (harness: Harness) => Promise<readonly Row[]>;
}

export interface HarnessOptions {
  readonly seconds: number;
  readonly tasks: number;
}

/** A page that shows a made host. */
export interface Shown {
  readonly page: Page;
  readonly host: MadeHost;
}

/** The tree. */
export const GRID = '[data-testid="tree-grid"]';

/** Without one of these, the browser that Playwright has. */
const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const VIEWPORT = { width: 1440, height: 900 };
const LOAD_MS = 120_000;

export class Harness {
  /** How long a measurement that goes on for a while does. */
  readonly seconds: number;
  /** Tasks of the large tree. */
  readonly tasks: number;
  readonly #browser: Browser;
  readonly #servers: DendroServer[] = [];
  #large: { readonly server: DendroServer; readonly host: MadeHost } | undefined;

  private constructor(browser: Browser, { seconds, tasks }: HarnessOptions) {
    this.#browser = browser;
    this.seconds = seconds;
    this.tasks = tasks;
  }

  static async start(options: HarnessOptions): Promise<Harness> {
    const executablePath = process.env['CHROMIUM_PATH'] ?? SYSTEM_BROWSERS.find((path) => existsSync(path));
    const browser = await chromium.launch({
      ...(executablePath ? { executablePath } : {}),
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-precise-memory-info'],
    });
    return new Harness(browser, options);
  }

  async server(args: readonly string[]): Promise<DendroServer> {
    const server = await DendroServer.start(args);
    this.#servers.push(server);
    return server;
  }

  /** A server of its own that is told of so many processes. */
  async madeHost(tasks: number): Promise<{ readonly server: DendroServer; readonly host: MadeHost }> {
    const server = await this.server(['--source', 'none', '--max-processes', String(tasks + spareFor(tasks))]);
    const host = new MadeHost(server);
    await host.grow(tasks);
    return { server, host };
  }

  /** The large tree in a new page; measurements share its server. */
  async large(): Promise<Shown> {
    this.#large ??= await this.madeHost(this.tasks);
    const page = await this.open(this.#large.server.url, this.tasks);
    return { page, host: this.#large.host };
  }

  async blank(): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: VIEWPORT });
    const page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto('data:text/html,<!doctype html><input autofocus>');
    return page;
  }

  /** A page of a visit of its own. */
  async visit(): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: VIEWPORT });
    const page = await context.newPage();
    await page.addInitScript(watch);
    return page;
  }

  /** Opens a page and waits until its tree is whole, with so many tasks at least. */
  async open(url: string, tasks: number): Promise<Page> {
    const page = await this.visit();
    await page.addInitScript(() => localStorage.setItem('dendro-alike', 'apart'));
    await page.goto(url);
    const isWhole = (tasks: number) => {
      const grid = document.querySelector('[data-testid="tree-grid"]');
      return (grid?.getAttribute('data-version') ?? '') !== '' && Number(grid?.getAttribute('aria-rowcount')) > tasks;
    };
    await page.waitForFunction(isWhole, tasks, { timeout: LOAD_MS });
    await settle(page);
    return page;
  }

  /** The tasks of the page's main thread meanwhile. */
  async tasksWhile(doIt: () => Promise<void>): Promise<readonly MainTask[]> {
    return tasksWhile(this.#browser, doIt);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    for (const server of this.#servers) await server.stop();
  }
}

/** Who has ended is remembered up to so many. */
export function spareFor(tasks: number): number {
  return Math.ceil(tasks * 0.2) + 1000;
}

export async function close(page: Page): Promise<void> {
  await page.context().close();
}

/** Until the page has had little to do for a fifth of a second, but no longer than a second and a half: a slow page is never quiet. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const until = performance.now() + 1500;
    for (let quiet = 0; quiet < 12 && performance.now() < until; ) {
      const from = performance.now();
      await new Promise((resolve) => requestAnimationFrame(resolve));
      quiet = performance.now() - from < 40 ? quiet + 1 : 0;
    }
  });
}

export async function devtools(page: Page): Promise<CDPSession> {
  return page.context().newCDPSession(page);
}

/** Milliseconds between the frames of a page while something goes on. */
export async function framesWhile(page: Page, doIt: () => Promise<void>): Promise<readonly number[]> {
  await page.evaluate(() => globalThis.bench.startFrames());
  await doIt();
  return page.evaluate(() => globalThis.bench.stopFrames());
}

/** An input, and what it brought about. */
export interface Input {
  readonly event: 'click' | 'keydown';
  readonly do: () => Promise<void>;
  /** Done when all is ready; the input comes right after it. */
  readonly before?: () => Promise<void>;
  /** What it changes; undefined: nothing that is waited for. */
  readonly attribute?: { readonly of: string; readonly name: string };
}

/** Milliseconds from an input event until what it brought about is painted, and what of that was computing. */
export interface Painted {
  readonly wall: number;
  readonly cpu: number;
}

export async function painted(page: Page, clock: CpuClock, input: Input): Promise<Painted> {
  const { event, attribute } = input;
  await page.evaluate((what) => globalThis.bench.expectPaint(what), { event, attribute });
  await input.before?.();
  const from = await clock.now();
  await input.do();
  const wall = await page.evaluate(() => globalThis.bench.painted);
  return { wall, cpu: (await clock.now()) - from };
}

/** What runs in the page before anything else. */
function watch(): void {
  const longTasks: number[] = [];
  let frames: number[] = [];
  let isOn = false;
  let last = 0;
  const frame = (now: number): void => {
    if (!isOn) return;
    if (last > 0) frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(duration);
  }).observe({ type: 'longtask', buffered: true });
  globalThis.bench = {
    longTasks,
    startFrames: () => {
      frames = [];
      last = 0;
      isOn = true;
      requestAnimationFrame(frame);
    },
    stopFrames: () => {
      isOn = false;
      return frames;
    },
    painted: Promise.resolve(Number.NaN),
    expectPaint: ({ event, attribute }) => {
      globalThis.bench.painted = new Promise((resolve) => {
        // The task after a frame's: by then the frame is painted.
        const onPaint = (from: number) =>
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.now() - from);
            port2.postMessage(undefined);
          });
        const onInput = ({ timeStamp }: Event): void => {
          const element = attribute && document.querySelector(attribute.of);
          if (!element) {
            onPaint(timeStamp);
            return;
          }
          const observer = new MutationObserver(() => {
            observer.disconnect();
            onPaint(timeStamp);
          });
          observer.observe(element, { attributes: true, attributeFilter: [attribute.name] });
        };
        addEventListener(event, onInput, { capture: true, once: true });
      });
    },
  };
}

declare global {
  /** In the page. */
  var bench: {
    readonly longTasks: number[];
    readonly startFrames: () => void;
    /** @returns milliseconds between frames */
    readonly stopFrames: () => number[];
    readonly expectPaint: (what: { event: string; attribute?: Input['attribute'] | undefined }) => void;
    /** Of what was expected last. */
    painted: Promise<number>;
  };
}

/** Of a list of figures, the one below which such a share of them is. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `p50 8.1, p95 12.3 ms` */
export function inMs(figures: readonly number[]): string {
  return `p50 ${percentile(figures, 0.5).toFixed(1)}, p95 ${percentile(figures, 0.95).toFixed(1)} ms`;
}

export function ratio(figure: number, base: number, what: string): string {
  return `${(figure / base).toFixed(1)} × ${what}`;
}

/** Two rows: what 95 of 100 took by the clock, which has the goal, and what they computed. */
export function rowsOfPainted(
  what: string,
  painted: readonly Painted[],
  goal: number,
  beside: readonly Painted[],
): Row[] {
  const [wall, cpu] = [painted.map(({ wall }) => wall), painted.map(({ cpu }) => cpu)];
  const base = percentile(
    beside.map(({ wall }) => wall),
    0.5,
  );
  return [
    rowOfP95(what, wall, goal, ratio(percentile(wall, 0.5), base, 'the same on an empty page')),
    { what: `${what}, computing`, figure: inMs(cpu), goal: '', isKept: undefined },
  ];
}

/** A row whose goal is an upper bound for 95 of 100 figures. */
export function rowOfP95(what: string, figures: readonly number[], goal: number, beside?: string): Row {
  const isKept = percentile(figures, 0.95) <= goal;
  return { what, figure: inMs(figures), goal: `p95 ≤ ${goal} ms`, isKept, ...(beside ? { beside } : {}) };
}
