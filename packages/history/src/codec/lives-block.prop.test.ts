import { rememberTree, type TaskIndex, TemporalTree } from '@dendro/engine';
import {
  AUTHORITY,
  BatchWriter,
  type EntityId,
  type EventNs,
  type TaskId,
  type Tid,
  type TimeBase,
} from '@dendro/protocol';
import { answersOf, arbitraryFacts, differencesOf, hostileFacts, randomRuns, type WriteFact } from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TreeLoader } from '../lives/tree-loader.ts';
import { LivesBlock } from './lives-block.ts';
import { LivesEncoder } from './lives-encoder.ts';
import { PackedBlock, packBlock } from './packed-block.ts';

const BASE: TimeBase = { epochNs: 1_700_000_000_123_456_789n };
const TIMES = [0, 3, 6, 9, 12];
const TASKS = 8;

/** Everybody is announced: facts about others are in no block. */
function treeOf(facts: readonly WriteFact[], entriesPerField: number): TemporalTree {
  const writer = new BatchWriter();
  for (let id = 1 as TaskId; id <= TASKS; id++) {
    writer.task(
      id,
      id as number as Tid,
      id as number as Tid,
      id,
      0 as TaskId,
      0 as EventNs,
      0 as EntityId,
      0,
      AUTHORITY.inferred,
    );
  }
  for (const write of facts) write(writer);
  const tree = new TemporalTree({ entriesPerField });
  tree.apply(writer.finish());
  return tree;
}

function presentIn(tree: TemporalTree): TaskId[] {
  const ids: TaskId[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    if (tree.isPresent(slot as TaskIndex)) ids.push(tree.taskIdOf(slot as TaskIndex));
  }
  return ids.sort((a, b) => a - b);
}

function encode(tree: TemporalTree): Uint8Array {
  const encoder = new LivesEncoder(BASE);
  for (const id of presentIn(tree)) {
    encoder.begin(id, 0 as EventNs, 100 as EventNs);
    tree.writeFacts(tree.indexOf(id), encoder);
  }
  return packBlock(encoder.finish());
}

test('lives come out of a block with every fact that went in, what was let go of included', () => {
  fc.assert(
    fc.property(arbitraryFacts(TASKS), fc.integer({ min: 1, max: 4 }), (facts, entriesPerField) => {
      const tree = treeOf(facts, entriesPerField);
      const packed = encode(tree);
      const block = new PackedBlock(() => packed, BASE);
      const back = new TemporalTree({ entriesPerField });
      new TreeLoader(back).load(block, 0 as EventNs, 100 as EventNs);
      expect(differencesOf(answersOf(back, TIMES), answersOf(tree, TIMES))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('a life that is loaded by itself is the same', () => {
  fc.assert(
    fc.property(arbitraryFacts(6), (facts) => {
      const tree = treeOf(facts, 100);
      const packed = encode(tree);
      const block = new PackedBlock(() => packed, BASE);
      const back = new TemporalTree({ entriesPerField: 100 });
      const loader = new TreeLoader(back);
      for (const id of presentIn(tree).reverse()) loader.loadOne(block, block.rows.indexOf(id));
      expect(differencesOf(answersOf(back, TIMES), answersOf(tree, TIMES))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('bytes that are no block are refused, whatever they are', () => {
  fc.assert(
    fc.property(arbitraryFacts(4), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (facts, changes) => {
      const encoder = new LivesEncoder(BASE);
      const tree = treeOf(facts, 100);
      for (const id of presentIn(tree)) {
        encoder.begin(id, 0 as EventNs, 100 as EventNs);
        tree.writeFacts(tree.indexOf(id), encoder);
      }
      const rows = new Uint8Array(encoder.finish().rows);
      for (const [where, value] of changes) rows[where % rows.length] = value;
      try {
        new LivesBlock(rows, BASE);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'DENDRO_HISTORY_DAMAGED' });
      }
    }),
    { numRuns: 2000 },
  );
});

// What is sound as bytes can say what no tree has said: times that are none, fields that there are not, no ids.
test('whatever a block says that can be read, the tree of it can be asked', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 127, 128, 255)), { maxLength: 3 });
  fc.assert(
    fc.property(hostileFacts(4), changes, changes, (facts, ofRows, ofChunks) => {
      const encoder = new LivesEncoder(BASE);
      const tree = treeOf(facts, 100);
      for (const id of presentIn(tree)) {
        encoder.begin(id, 0 as EventNs, 100 as EventNs);
        tree.writeFacts(tree.indexOf(id), encoder);
      }
      const block = encoder.finish();
      const rows = changed(block.rows, ofRows);
      const chunks = block.chunks.map((chunk) => ({ ...chunk, bytes: changed(chunk.bytes, ofChunks) }));
      const packed = packBlock({ ...block, rows, chunks });
      const back = new TemporalTree();
      try {
        new TreeLoader(back).load(new PackedBlock(() => packed, BASE), 0 as EventNs, 100 as EventNs);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'DENDRO_HISTORY_DAMAGED' });
      }
      answersOf(back, TIMES);
      for (const at of TIMES) rememberTree({ tree: back, base: BASE, at: at as EventNs }, { limit: 9, threads: true });
    }),
    randomRuns(1000),
  );
});

function changed(bytes: Uint8Array, changes: readonly (readonly [where: number, value: number])[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (const [where, value] of changes) copy[where % copy.length] = value;
  return copy;
}

test('a flag that nobody has given a meaning yet does not say that more of a life is in an earlier block', () => {
  const encoder = new LivesEncoder(BASE);
  encoder.begin(1 as TaskId, 0 as EventNs, 100 as EventNs);
  encoder.task(
    1 as TaskId,
    1 as Tid,
    1 as Tid,
    1 as TaskId,
    0 as TaskId,
    0 as EventNs,
    0 as EntityId,
    128,
    AUTHORITY.event,
  );
  expect([...new LivesBlock(encoder.finish().rows, BASE).isPart]).toEqual([0]);
});

// A tree of them threw at whoever asked for a time in decimal, or took one field for the loss of another.
test.each<[string, (encoder: LivesEncoder) => void]>([
  ['a start', (encoder) => told(encoder, Number.NaN)],
  ['an end', (encoder) => told(encoder).exit(1 as TaskId, Number.NaN as EventNs, AUTHORITY.event, 0, 0)],
  ['a time', (encoder) => told(encoder).set(1 as TaskId, 8, Number.NaN as EventNs, AUTHORITY.event, 7)],
  ['a field', (encoder) => told(encoder).set(1 as TaskId, 20, 5 as EventNs, AUTHORITY.event, 7)],
])('a block that says %s that there is not is damaged', (_, tell) => {
  const encoder = new LivesEncoder(BASE);
  tell(encoder);
  const packed = packBlock(encoder.finish());
  const block = new PackedBlock(() => packed, BASE);
  const load = () => new TreeLoader(new TemporalTree()).load(block, 0 as EventNs, 100 as EventNs);
  expect(load).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_DAMAGED' }));
});

function told(encoder: LivesEncoder, start = 0): LivesEncoder {
  const [task, tid] = [1 as TaskId, 1 as Tid];
  encoder.begin(task, 0 as EventNs, 100 as EventNs);
  encoder.task(task, tid, tid, task, 0 as TaskId, start as EventNs, 0 as EntityId, 0, AUTHORITY.event);
  return encoder;
}
