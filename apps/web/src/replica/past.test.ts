import { BatchWriter, type EventNs, encodeFrame, type HostInfo, toVersion } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Past } from './past.ts';
import { Replica } from './replica.ts';

const HOST: HostInfo = {
  id: 'local',
  name: 'h',
  baseEpochNs: '1000000000000000000',
  oldestEpochNs: '1000000001000000000',
  isLive: false,
  users: {},
};
const MS = 1e6;
const ms = (n: number) => (n * MS) as EventNs;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A page that has joined at 60 s, and a server that answers as it is told. */
function begin(answer: (url: string) => Response) {
  const replica = new Replica(() => 0);
  replica.greet(HOST);
  replica.resync();
  const batch = new BatchWriter().finish();
  const [from, to] = [toVersion(0), toVersion(1)];
  replica.takeFrame(encodeFrame({ kind: 'snapshot', isLast: true, from, to, now: ms(60_000), batch }));
  const fetch = vi.fn(async (url: string) => answer(url));
  return { past: new Past({ replica, origin: '', fetch }), fetch };
}

/** As a page does that is drawn again and again. */
async function look(past: Past, at: EventNs): Promise<void> {
  for (let frame = 0; frame < 20; frame++) {
    past.treeAt(at);
    await vi.advanceTimersByTimeAsync(50);
  }
}

test('it is for what the replica has not seen, from the beginning of the history on', () => {
  const { past } = begin(() => new Response());
  expect(past.isFor(ms(60_000))).toBe(false);
  expect(past.isFor(ms(59_999))).toBe(true);
  expect(past.isFor(ms(1000))).toBe(true);
  expect(past.isFor(ms(999))).toBe(false);
});

test('an instant that the server refuses is asked about again after seconds, another one at once', async () => {
  const problem = () => Response.json({ message: 'It is too old.' }, { status: 410 });
  const { past, fetch } = begin(problem);
  await look(past, ms(5000));
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(past.problem).toBe('It is too old.');
  await look(past, ms(6000));
  expect(fetch).toHaveBeenCalledTimes(2);
  await look(past, ms(5000));
  expect(fetch).toHaveBeenCalledTimes(3);
  await vi.advanceTimersByTimeAsync(5000);
  await look(past, ms(5000));
  expect(fetch).toHaveBeenCalledTimes(4);
});

test('within the window that has come nothing more is asked', async () => {
  const { past, fetch } = begin(() => new Response(new Uint8Array()));
  await look(past, ms(5000));
  await look(past, ms(9000));
  expect(past.treeAt(ms(9000))?.taskCount).toBe(0);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('of a window that is cut where a boot began, the boot before is asked for by itself', async () => {
  const bootEpochNs = BigInt(HOST.baseEpochNs) + 8_000_000_000n;
  const { past, fetch } = begin((url) => {
    const query = new URL(url, 'http://localhost').searchParams;
    const [from, to] = [BigInt(query.get('from') ?? 0), BigInt(query.get('to') ?? 0)];
    const begins = to >= bootEpochNs && from < bootEpochNs ? bootEpochNs : from;
    return new Response(new Uint8Array(), { headers: { 'x-dendro-from-epoch-ns': String(begins) } });
  });
  await look(past, ms(9000));
  await look(past, ms(8000));
  expect(fetch).toHaveBeenCalledTimes(1);
  await look(past, ms(7000));
  expect(fetch).toHaveBeenCalledTimes(3);
  await look(past, ms(7900));
  expect(fetch).toHaveBeenCalledTimes(3);
});
