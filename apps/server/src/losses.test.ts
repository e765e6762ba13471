// What is lost, or no longer kept, is told in the answers that lack it.

import { afterEach, expect, test } from 'vitest';
import { exitLine, forkLine, renameLine, TestServer, type TraceeTask, traceeLine } from './test-server.ts';

const START = 1_561_000_000_000_000_000n;
const at = (ms: number) => START + BigInt(ms) * 1_000_000n;
const born = (pid: number, ms: number): TraceeTask => ({ tid: pid, pid, start: at(ms) });
const INIT = born(1, 0);
let server: TestServer;
afterEach(() => server.stop());

const ask = async (path: string) => (await server.get(`/api/v1/${path}`)).json();
const tree = async (query = '') => {
  const { returned, total, reason } = await ask(`hosts/local/tree${query}`);
  return { returned, total, reason };
};
const EVICTED = expect.stringMatching(/^Tasks of that time have left memory to make room: .*\.$/);

test('a list of all tasks says so', async () => {
  server = await TestServer.start();
  await server.post([forkLine(at(1), INIT, born(20, 1)), exitLine(at(5), born(20, 1))].join('\n'));
  expect(await tree(`?at=${at(6)}`)).toEqual({ returned: 1, total: 1, reason: null });
  expect(await tree('?exited=true')).toEqual({ returned: 2, total: 2, reason: null });
  expect(await ask('hosts')).toMatchObject({ returned: 1, total: 1, reason: null });
});

test('ended tasks that left memory are missing from the past, and from a list of the ended, not from the present', async () => {
  server = await TestServer.start({ maxProcesses: 16 });
  const lines: string[] = [];
  for (let i = 0; i < 30; i++) {
    const short = born(100 + i, 10 * i);
    lines.push(forkLine(at(10 * i), INIT, short), exitLine(at(10 * i + 5), short));
  }
  await server.post(lines.join('\n'));
  expect(await tree(`?at=${at(1000)}`)).toEqual({ returned: 1, total: 1, reason: null });
  expect(await tree(`?at=${at(2)}`)).toEqual({ returned: 1, total: 1, reason: EVICTED });
  expect(await tree('?exited=true')).toEqual({ returned: 16, total: 16, reason: EVICTED });
});

test('living tasks that left memory are missing from the present too, and counted where others refer to them', async () => {
  server = await TestServer.start({ maxProcesses: 16 });
  const parent = born(50, 1);
  const lines = [forkLine(at(1), INIT, parent), forkLine(at(2), parent, born(51, 2))];
  for (let i = 0; i < 30; i++) {
    lines.push(forkLine(at(10 + i), INIT, born(100 + i, 10 + i)), renameLine(at(10 + i), born(51, 2), `busy${i}`));
  }
  await server.post(lines.join('\n'));
  expect(await tree()).toEqual({ returned: 16, total: 17, reason: EVICTED });
});

test('a lineage goes on through somebody who left memory, and says that it ends at a parent that is no longer kept', async () => {
  server = await TestServer.start({ maxProcesses: 16 });
  const parent = born(50, 1);
  const lines = [forkLine(at(1), INIT, parent), forkLine(at(2), parent, born(51, 2)), exitLine(at(3), parent)];
  for (let i = 0; i < 30; i++) {
    const short = born(100 + i, 10 + i);
    lines.push(forkLine(at(10 + i), INIT, short), exitLine(at(11 + i), short));
  }
  await server.post(lines.join('\n'));
  expect(await ask('lineage/pid:51')).toMatchObject({
    lineage: [{ info: { pid: 51 } }, { info: { pid: 50 } }, { info: { pid: 1 } }],
    returned: 3,
    end: 'root',
  });

  // Each line says who the parent is, now this one, now that: 64 of them are kept.
  const child = born(60, 100);
  const said = Array.from({ length: 100 }, (_, i) =>
    traceeLine(
      'task_rename',
      at(101 + i),
      child,
      { new_name: `n${i}` },
      {
        syscall: 'prctl',
        hostParentProcessId: 1 + 50 * (i % 2),
      },
    ),
  );
  await server.post(said.join('\n'));
  expect(await ask(`lineage/pid:60?at=${at(102)}`)).toMatchObject({ returned: 1, end: 'trimmed' });
});

test('a value that is no longer kept is named', async () => {
  server = await TestServer.start();
  await server.post(Array.from({ length: 100 }, (_, i) => renameLine(at(i), INIT, `name${i}`)).join('\n'));
  expect((await ask(`processes/1?at=${at(3)}`)).info).toMatchObject({ comm: null, trimmed: ['comm'] });
  expect((await ask(`processes/1?at=${at(99)}`)).info).toMatchObject({ comm: 'name99', trimmed: [] });
});
