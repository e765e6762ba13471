import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchWriter, factsOf, readBatch } from './batch-codec.ts';
import { DendroError } from './errors.ts';
import {
  AUTHORITY,
  type Fact,
  FIELDS,
  type FieldName,
  type FieldValue,
  fromWireText,
  isTextField,
  type SetFact,
  toWireText,
} from './facts.ts';
import { type EntityId, type EventNs, NO_TASK_ID, type TaskId, type Tid } from './ids.ts';

// The law: facts in, the same facts out, grouped by kind.

const KINDS = ['task', 'set', 'exit', 'gap', 'evict'];

function encode(facts: readonly Fact[]): Uint8Array<ArrayBuffer> {
  const writer = new BatchWriter();
  for (const fact of facts) write(writer, fact);
  expect(writer.count).toBe(facts.length);
  return writer.finish();
}

function write(writer: BatchWriter, fact: Fact): void {
  if (fact.type === 'task') {
    const { task, tid, pid, leader, creator, start, entityId, flags, authority } = fact;
    writer.task(task, tid, pid, leader, creator, start, entityId, flags, authority);
  } else if (fact.type === 'set') {
    writer.set(fact.task, FIELDS[fact.field].id, fact.since, fact.authority, wireValue(writer, fact));
  } else if (fact.type === 'exit') {
    writer.exit(fact.task, fact.at, fact.authority, fact.code ?? -1, fact.signal ?? -1);
  } else if (fact.type === 'gap') {
    writer.gap(fact.from, fact.to, fact.lost);
  } else {
    writer.evict(fact.task, fact.isCut);
  }
}

function wireValue(writer: BatchWriter, { field, value }: SetFact): number {
  const { type } = FIELDS[field];
  if (typeof value === 'number') return value;
  if (value === undefined) return isTextField(type) ? 0 : Number.NaN;
  return writer.text(toWireText(type, value));
}

const grouped = (facts: readonly Fact[]): Fact[] => KINDS.flatMap((kind) => facts.filter((fact) => fact.type === kind));

/** What a text value is after the wire: lone surrogates and NULs are replaced, each by one character. */
function afterWire(fact: Fact): Fact {
  if (fact.type !== 'set' || fact.value === undefined || typeof fact.value === 'number') return fact;
  const { type } = FIELDS[fact.field];
  return { ...fact, value: fromWireText(type, toWireText(type, fact.value).toWellFormed()) };
}

const taskId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((id) => id as TaskId);
const tid = fc.integer({ min: 0, max: 4_194_304 }).map((id) => id as Tid);
const eventNs = fc
  .oneof(
    fc.integer({ min: -9e15, max: 9e15 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((at) => at + 0),
  )
  .map((at) => at as EventNs);
const authority = fc.constantFrom(...Object.values(AUTHORITY));
/** Every UTF-16 unit, so lone surrogates too; and NUL, byte order mark and pairs often enough to meet. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom('a', '\0', '\ufeff', '\u{1f333}', '\ud83c', '\udf33', 'é', '\u{fffd}'),
  ),
});
const decimal = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const file = fc.record({
  path: anyText,
  device: fc.option(fc.integer({ min: 0 }), { nil: undefined }),
  inode: fc.option(decimal, { nil: undefined }),
  ctime: fc.option(decimal, { nil: undefined }),
  mode: fc.option(fc.integer({ min: 0, max: 0xffff }), { nil: undefined }),
  hash: fc.option(fc.stringMatching(/^[0-9a-f]{1,64}$/), { nil: undefined }),
});
const VALUES: Readonly<Record<string, fc.Arbitrary<FieldValue>>> = {
  task: fc.oneof(taskId, fc.constant(NO_TASK_ID)),
  number: fc.integer(),
  string: anyText,
  strings: fc.array(anyText),
  file,
};
const setFact = fc.constantFrom(...(Object.keys(FIELDS) as FieldName[])).chain((field) =>
  fc.record({
    type: fc.constant('set' as const),
    task: taskId,
    field: fc.constant(field),
    since: eventNs,
    authority,
    value: fc.option(VALUES[FIELDS[field].type]!, { nil: undefined }),
  }),
);
const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    type: fc.constant('task' as const),
    task: taskId,
    tid,
    pid: tid,
    leader: taskId,
    creator: fc.oneof(taskId, fc.constant(NO_TASK_ID)),
    start: eventNs,
    entityId: fc.integer({ min: 0, max: 0xffff_ffff }).map((id) => id as EntityId),
    flags: fc.integer({ min: 0, max: 31 }),
    authority,
  }),
  setFact,
  fc.record({
    type: fc.constant('exit' as const),
    task: taskId,
    at: eventNs,
    authority,
    code: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
    signal: fc.option(fc.integer({ min: 0, max: 64 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('gap' as const), from: eventNs, to: eventNs, lost: fc.integer({ min: 0 }) }),
  fc.record({ type: fc.constant('evict' as const), task: taskId, isCut: fc.boolean() }),
);
const facts = fc.array(fact, { maxLength: 60 });

test('facts come out as they went in, grouped by kind', () => {
  fc.assert(
    fc.property(facts, (given) => {
      expect(factsOf(encode(given))).toEqual(grouped(given).map(afterWire));
    }),
    { numRuns: 400 },
  );
});

test('a batch means the same wherever it lies in a larger buffer', () => {
  fc.assert(
    fc.property(facts, fc.integer({ min: 0, max: 16 }), (given, offset) => {
      const batch = encode(given);
      const larger = new Uint8Array(offset + batch.length + 3).fill(0xff);
      larger.set(batch, offset);
      expect(factsOf(larger.subarray(offset, offset + batch.length))).toEqual(factsOf(batch));
    }),
  );
});

test('encoding what was decoded gives the same bytes', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const batch = encode(given);
      expect(encode(factsOf(batch))).toEqual(batch);
    }),
  );
});

test('what a string becomes does not depend on the strings beside it', () => {
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 1 }), (texts) => {
      const writer = new BatchWriter();
      for (const text of texts) writer.text(text);
      expect(stringsOf(writer.finish())).toEqual([...new Set(texts)].map((text) => text.toWellFormed()));
    }),
    { numRuns: 400 },
  );
});

test('random bytes are refused as malformed and as nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, hasMagic) => {
      if (hasMagic) bytes.set(new TextEncoder().encode('DNB2').subarray(0, bytes.length));
      decodeOrRefuse(bytes);
    }),
    { numRuns: 2_000 },
  );
});

test('a batch cut short or with bytes added is refused', () => {
  fc.assert(
    fc.property(facts, fc.nat(), fc.integer({ min: 1, max: 9 }), (given, cut, added) => {
      const batch = encode(given);
      expect(decodeOrRefuse(batch.subarray(0, cut % batch.length))).toBe('refused');
      const longer = new Uint8Array(batch.length + added);
      longer.set(batch);
      expect(decodeOrRefuse(longer)).toBe('refused');
    }),
  );
});

test('a batch with bytes changed is read or refused, and visits nothing when it is refused', () => {
  fc.assert(
    fc.property(
      facts,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1 }),
      (given, changes) => {
        const batch = encode(given);
        for (const [at, byte] of changes) batch[at % batch.length] = byte;
        decodeOrRefuse(batch);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('whatever the counts in a header claim, a short batch is refused at once', () => {
  const u32 = fc.oneof(
    fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  );
  fc.assert(
    fc.property(fc.array(u32, { minLength: 7, maxLength: 7 }), (counts) => {
      fc.pre(counts.some((count) => count > 1_000));
      const bytes = new Uint8Array(4_096);
      new Uint32Array(bytes.buffer, 0, 8).set([0x31424e44, ...counts]);
      const before = process.memoryUsage().arrayBuffers;
      expect(decodeOrRefuse(bytes)).toBe('refused');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    }),
    { numRuns: 500 },
  );
});

function decodeOrRefuse(bytes: Uint8Array): 'read' | 'refused' {
  let visited = 0;
  const visit = () => {
    visited++;
  };
  try {
    readBatch(bytes, { strings: visit, task: visit, set: visit, exit: visit, gap: visit, evict: visit });
    for (const fact of factsOf(bytes)) expectSound(fact);
    return 'read';
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DendroError);
    expect((thrown as DendroError).code).toBe('DENDRO_BATCH_MALFORMED');
    expect(visited).toBe(0);
    return 'refused';
  }
}

/** What the tree may take for granted of any batch that was read. */
function expectSound(fact: Fact): void {
  if (fact.type === 'gap') {
    expect([fact.from, fact.to, fact.lost].every(Number.isFinite)).toBe(true);
    return;
  }
  expect(Number.isSafeInteger(fact.task) && fact.task > 0).toBe(true);
  if (fact.type === 'evict') return;
  expect(Object.values(AUTHORITY)).toContain(fact.authority);
  if (fact.type === 'task') {
    for (const id of [fact.leader, fact.creator]) expect(Number.isSafeInteger(id) && id >= 0).toBe(true);
  }
}

function stringsOf(batch: Uint8Array): readonly string[] {
  let strings: readonly string[] = [];
  const ignore = () => {};
  readBatch(batch, {
    strings: (table) => {
      strings = table;
    },
    task: ignore,
    set: ignore,
    exit: ignore,
    gap: ignore,
    evict: ignore,
  });
  return strings;
}
