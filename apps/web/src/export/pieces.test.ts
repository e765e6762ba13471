import { expect, test } from 'vitest';
import { inTurns } from './pieces.ts';

function* slow(steps: number) {
  for (let i = 0; i < steps; i++) {
    const until = performance.now() + 1;
    while (performance.now() < until);
    yield i;
  }
}

test('others get their turn in between, and progress rises', async () => {
  const parts: number[] = [];
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const turn = { signal: new AbortController().signal, onProgress: (part: number) => parts.push(part) };
  expect(await inTurns(slow(100), 100, turn)).toHaveLength(100);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
  expect(parts.length).toBeGreaterThan(3);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
});

test('it is given up when somebody says so', async () => {
  const controller = new AbortController();
  const turn = { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
  await expect(inTurns(slow(1000), 1000, turn)).rejects.toThrow('enough');
});
