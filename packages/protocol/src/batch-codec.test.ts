import { expect, test } from 'vitest';
import { BatchWriter, factsOf, readBatch } from './batch-codec.ts';
import { AUTHORITY, FIELDS, TASK_FLAG } from './facts.ts';
import { type EntityId, type EventNs, NO_TASK_ID, type TaskId, type Tid } from './ids.ts';

const id = (n: number) => n as TaskId;
const at = (n: number) => n as EventNs;

function batchOfTexts(...texts: string[]): Uint8Array {
  const writer = new BatchWriter();
  for (const text of texts) writer.set(id(1), FIELDS.comm.id, at(0), AUTHORITY.event, writer.text(text));
  return writer.finish();
}

const textsOf = (batch: Uint8Array) => factsOf(batch).map((fact) => fact.type === 'set' && fact.value);

test('a batch without facts is its header and reads as nothing', () => {
  const batch = new BatchWriter().finish();
  expect(batch.length).toBe(32);
  expect(factsOf(batch)).toEqual([]);
});

test('one fact of each kind has the layout that the format promises', () => {
  const writer = new BatchWriter();
  writer.task(id(7), 70 as Tid, 70 as Tid, id(7), NO_TASK_ID, at(5), 0xffff_fffe as EntityId, TASK_FLAG.thread, 2);
  writer.set(id(7), FIELDS.comm.id, at(6), AUTHORITY.sighting, writer.text('né'));
  writer.exit(id(7), at(9), AUTHORITY.event, -1, 9);
  writer.gap(at(1), at(2), 3);
  writer.evict(id(8), true);
  const batch = writer.finish();

  const view = new DataView(batch.buffer);
  expect(new TextDecoder().decode(batch.subarray(0, 4))).toBe('DNB2');
  const header = Array.from({ length: 7 }, (_, i) => view.getUint32(4 + 4 * i, true));
  expect(header).toEqual([1, 3, 1, 1, 1, 1, 1]);
  const f64 = Array.from({ length: 13 }, (_, i) => view.getFloat64(32 + 8 * i, true));
  expect(f64).toEqual([7, 7, 0, 5, 7, 6, 1, 7, 9, 1, 2, 3, -8]);
  const i32 = Array.from({ length: 6 }, (_, i) => view.getInt32(136 + 4 * i, true));
  expect(i32).toEqual([70, 70, -2, -1, 9, 2]);
  expect([...batch.subarray(160)]).toEqual([1, 2, 2, 1, 2, 0x6e, 0xc3, 0xa9]);
});

test('the table of strings holds each text once', () => {
  const writer = new BatchWriter();
  expect(writer.text('a')).toBe(1);
  expect(writer.text('b')).toBe(2);
  expect(writer.text('a')).toBe(1);
});

test('a writer that has finished starts anew, strings too', () => {
  const writer = new BatchWriter();
  writer.text('old');
  writer.evict(id(1), false);
  writer.finish();
  expect(writer.count).toBe(0);
  expect(writer.text('new')).toBe(1);
  writer.evict(id(2), false);
  expect(factsOf(writer.finish())).toEqual([{ type: 'evict', task: 2, isCut: false }]);
});

test('columns grow: 5,000 tasks with a field and an exit each come back whole', () => {
  const writer = new BatchWriter();
  for (let n = 1; n <= 5_000; n++) {
    writer.task(id(n), n as Tid, n as Tid, id(n), id(1), at(n), n as EntityId, 0, AUTHORITY.event);
    writer.set(id(n), FIELDS.comm.id, at(n), AUTHORITY.event, writer.text(`worker-${n}`));
    writer.exit(id(n), at(n + 0.5), AUTHORITY.event, n % 256, -1);
  }
  expect(writer.taskCount).toBe(5_000);
  expect(writer.count).toBe(15_000);
  const facts = factsOf(writer.finish());
  expect(facts).toHaveLength(15_000);
  expect(facts[4_999]).toMatchObject({ type: 'task', task: 5_000, tid: 5_000, start: 5_000 });
  expect(facts[9_999]).toMatchObject({ type: 'set', task: 5_000, value: 'worker-5000' });
  expect(facts[14_999]).toMatchObject({ type: 'exit', task: 5_000, at: 5_000.5, code: 136, signal: undefined });
});

test('a text of 10 million characters comes back whole', () => {
  const text = 'ä🌳'.repeat(3_333_333);
  expect(textsOf(batchOfTexts('before', text, 'after'))).toEqual(['before', text, 'after']);
});

test('a byte order mark is a character like any other, also at the very start', () => {
  const texts = ['\ufeff', '\ufeffsh', 'sh\ufeff'];
  expect(textsOf(batchOfTexts(...texts))).toEqual(texts);
});

test('half a surrogate pair becomes one replacement character, and its neighbours stay what they are', () => {
  expect(textsOf(batchOfTexts('a\ud83c', '\udf33b', '\ud83c\udf33', '\udf33\ud83c'))).toEqual([
    'a\ufffd',
    '\ufffdb',
    '\ud83c\udf33',
    '\ufffd\ufffd',
  ]);
});

test('a field of a later protocol version is passed over, and the rest is read', () => {
  const writer = new BatchWriter();
  writer.set(id(1), 200, at(0), AUTHORITY.event, 12345);
  writer.set(id(1), FIELDS.uid.id, at(0), AUTHORITY.event, 0);
  expect(factsOf(writer.finish())).toEqual([
    { type: 'set', task: 1, field: 'uid', since: 0, authority: AUTHORITY.event, value: 0 },
  ]);
});

test('not known is a value: of texts, of numbers, and of how a task ended', () => {
  const writer = new BatchWriter();
  writer.set(id(1), FIELDS.cwd.id, at(0), AUTHORITY.event, 0);
  writer.set(id(1), FIELDS.uid.id, at(0), AUTHORITY.event, Number.NaN);
  writer.exit(id(1), at(1), AUTHORITY.inferred, -1, -1);
  expect(factsOf(writer.finish())).toMatchObject([
    { field: 'cwd', value: undefined },
    { field: 'uid', value: undefined },
    { type: 'exit', code: undefined, signal: undefined },
  ]);
});

test('a batch in a Buffer is read wherever it lies in there', () => {
  const batch = batchOfTexts('in a buffer');
  for (let offset = 0; offset < 9; offset++) {
    const larger = Buffer.alloc(batch.length + offset);
    larger.set(batch, offset);
    expect(textsOf(larger.subarray(offset))).toEqual(['in a buffer']);
  }
});

test('the strings of a batch are told first and once', () => {
  const calls: string[] = [];
  const note = (name: string) => () => {
    calls.push(name);
  };
  readBatch(batchOfTexts('a', 'b'), {
    strings: note('strings'),
    task: note('task'),
    set: note('set'),
    exit: note('exit'),
    gap: note('gap'),
    evict: note('evict'),
  });
  expect(calls).toEqual(['strings', 'set', 'set']);
});

test.each([
  ['a text index past the table', (writer: BatchWriter) => writer.set(id(1), FIELDS.comm.id, at(0), 2, 1)],
  ['a text index that is not whole', (writer: BatchWriter) => writer.set(id(1), FIELDS.comm.id, at(0), 2, 0.5)],
  ['a task id of 0', (writer: BatchWriter) => writer.evict(NO_TASK_ID, false)],
  ['a task id with a fraction', (writer: BatchWriter) => writer.evict(id(1.5), true)],
  ['a time that is not a number', (writer: BatchWriter) => writer.gap(at(Number.NaN), at(0), 0)],
  ['an endless time', (writer: BatchWriter) => writer.exit(id(1), at(Number.POSITIVE_INFINITY), 2, 0, 0)],
  ['an authority that nobody has', (writer: BatchWriter) => writer.exit(id(1), at(0), 3 as 2, 0, 0)],
  ['a parent that is no task', (writer: BatchWriter) => writer.set(id(1), FIELDS.parent.id, at(0), 2, -1)],
])('%s is malformed', (_what, write) => {
  const writer = new BatchWriter();
  write(writer);
  expect(() => factsOf(writer.finish())).toThrow(expect.objectContaining({ code: 'DENDRO_BATCH_MALFORMED' }));
});
