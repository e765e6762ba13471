import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DrawLoop } from './draw-loop.ts';
import { Pace } from './layout/pace.ts';

let now: number;
let frames: Map<number, () => void>;
let drawn: number[];
let loop: DrawLoop;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  now = 1000;
  frames = new Map();
  drawn = [];
  let last = 0;
  vi.stubGlobal('requestAnimationFrame', (then: () => void) => {
    frames.set(++last, then);
    return last;
  });
  vi.stubGlobal('cancelAnimationFrame', (request: number) => frames.delete(request));
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  loop = new DrawLoop(new Pace(), () => drawn.push(now));
});

afterEach(() => {
  loop.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A frame of the browser: what was asked for runs, and layout and painting take so long. */
async function frame(paintMs = 0): Promise<void> {
  const due = [...frames.values()];
  frames.clear();
  for (const run of due) run();
  now += paintMs;
  // The task after it.
  await new Promise((resolve) => setImmediate(resolve));
}

/** Time passes without a frame that is drawn. */
function wait(ms: number): void {
  now += ms;
  vi.advanceTimersByTime(ms);
}

test('what happens between two frames is drawn once', async () => {
  loop.ask();
  loop.ask();
  await frame();
  expect(drawn).toHaveLength(1);
  await frame();
  expect(drawn).toHaveLength(1);
});

test('making, layout and painting count: two thirds of the time are left', async () => {
  loop.ask();
  await frame();
  loop.made(20);
  await frame(10);
  expect(now).toBe(1010);
  loop.ask();
  wait(59);
  await frame();
  expect(drawn).toHaveLength(1);
  wait(1);
  await frame();
  expect(drawn).toHaveLength(2);
});

test('what happens before a drawing is painted waits for it, and is drawn after it', async () => {
  loop.ask();
  await frame();
  loop.ask();
  await frame();
  expect(drawn).toHaveLength(1);
  loop.made(20);
  loop.ask();
  await frame(10);
  expect(drawn).toHaveLength(1);
  wait(60);
  await frame();
  expect(drawn).toHaveLength(2);
});

test('whoever waits for it gets the next frame, whatever it costs', async () => {
  loop.ask();
  await frame();
  loop.made(60);
  await frame(10);
  loop.ask();
  loop.askNow();
  await frame();
  expect(drawn).toHaveLength(2);
});

test('once it is stopped nothing is drawn', async () => {
  loop.ask();
  loop.stop();
  await frame();
  expect(drawn).toHaveLength(0);
});
