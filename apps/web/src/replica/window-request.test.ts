import { type EventNs, factsOf } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchOf } from '../testing/tree-of.ts';
import { Replica } from './replica.ts';
import { requestWindow } from './window-request.ts';

const EPOCH = 1_700_000_000_000_000_000n;
const BATCHES = [1, 2, 3].map((id) => batchOf([{ id, fields: { comm: 'c'.repeat(10 * id) } }]));

/** As the server sends them. */
function body(batches: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    batches.flatMap((batch) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(batch.length);
      return [length, batch];
    }),
  );
}

/** What a page makes of an answer that comes in such pieces. */
async function taken(pieces: readonly Uint8Array[], baseEpochNs = EPOCH): Promise<Uint8Array[]> {
  const replica = new Replica(() => 0);
  replica.greet({ id: 'local', name: 'here', baseEpochNs: String(EPOCH), isLive: true, users: {} });
  const stream = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const headers = { 'x-dendro-base-epoch-ns': String(baseEpochNs) };
  const fetch = async () => new Response(stream, { headers });
  const answer = await requestWindow({ replica, origin: '', fetch }, 0 as EventNs, 1 as EventNs);
  if (answer.kind !== 'batches') throw new Error(answer.kind);
  return Array.fromAsync(answer.batches);
}

test('batches are the same in whatever pieces they come, and each is there before the next has come', async () => {
  const whole = body(BATCHES);
  const cuts = fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const ends = [...places.toSorted((a, b) => a - b), whole.length];
      const pieces = ends.map((end, i) => new Uint8Array(whole.subarray(ends[i - 1] ?? 0, end)));
      expect((await taken(pieces)).map(factsOf)).toEqual(BATCHES.map(factsOf));
    }),
  );
});

test('their times count from the base of the page', async () => {
  const [batch] = await taken([body([batchOf([{ id: 1, start: 5 }])])], EPOCH + 100n);
  expect(factsOf(batch as Uint8Array)).toContainEqual(expect.objectContaining({ type: 'task', start: 105 }));
});

test.each([
  ['in a length', 2],
  ['before a batch', 4],
  ['in a batch', 20],
])('an answer that is cut off %s is refused', async (_, length) => {
  const bytes = new Uint8Array(body(BATCHES));
  await expect(taken([bytes.subarray(0, length)])).rejects.toThrow('The answer of the server was cut off.');
});

test('no memory is taken for a batch that is larger than any answer', async () => {
  await expect(taken([new Uint8Array([0xff, 0xff, 0xff, 0xff, 1])])).rejects.toThrow('cut off');
});
