// What the page's main thread has computed, apart from waiting for a core: on a
// machine that others use too, time by the clock says more about them.

import type { Browser, CDPSession, Page } from '@playwright/test';

/** A task of the main thread, milliseconds. */
export interface MainTask {
  readonly wall: number;
  readonly cpu: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds, by the clock and of the thread. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Counts the CPU time of a page's main thread. */
export class CpuClock {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<CpuClock> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new CpuClock(session);
  }

  /** Milliseconds so far. */
  async now(): Promise<number> {
    const { metrics } = await this.#session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
  }
}

/** Every task of the main thread that computes most of all: no other page may be open that does more. */
export async function tasksWhile(browser: Browser, doIt: () => Promise<void>): Promise<readonly MainTask[]> {
  const session = await browser.newBrowserCDPSession();
  const mains = new Set<string>(); // process and thread
  const tasks = new Map<string, MainTask[]>();
  session.on('Tracing.dataCollected', ({ value }) => {
    for (const { name, ph, pid, tid, dur = 0, tdur = dur, args } of value as unknown as TraceEvent[]) {
      const thread = `${pid} ${tid}`;
      if (name === 'thread_name' && args.name === 'CrRendererMain') mains.add(thread);
      if (ph !== 'X' || !name.endsWith('RunTask')) continue;
      const list = tasks.get(thread) ?? [];
      tasks.set(thread, list);
      list.push({ wall: dur / 1000, cpu: tdur / 1000 });
    }
  });
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  const traceConfig = { includedCategories: ['toplevel'], excludedCategories: ['*'] };
  await session.send('Tracing.start', { traceConfig, transferMode: 'ReportEvents' });
  await doIt();
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  const sum = (list: readonly MainTask[]) => list.reduce((sum, { cpu }) => sum + cpu, 0);
  const ofMains = [...tasks].filter(([thread]) => mains.has(thread)).map(([, list]) => list);
  return ofMains.sort((a, b) => sum(b) - sum(a))[0] ?? [];
}
