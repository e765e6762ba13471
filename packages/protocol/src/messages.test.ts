import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DendroError } from './errors.ts';
import type { EventNs, Version } from './ids.ts';
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES, type Frame, parseClientMessage } from './messages.ts';

const version = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((n) => n as Version);
const frame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom('batch' as const, 'snapshot' as const),
  isLast: fc.boolean(),
  from: version,
  to: version,
  now: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n as EventNs),
  batch: fc.uint8Array({ maxLength: 100 }),
});

/** @returns what came of it: a coded error is an answer, any other is a bug */
function outcomeOf(work: () => unknown, code: string): 'read' | 'refused' {
  try {
    work();
    return 'read';
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DendroError);
    expect((thrown as DendroError).code).toBe(code);
    return 'refused';
  }
}

test('a frame comes back as it was sent', () => {
  fc.assert(
    fc.property(frame, (given) => {
      expect(decodeFrame(encodeFrame(given))).toEqual(given);
    }),
  );
});

test('the batch in a frame is aligned, so that its columns can be read in place', () => {
  expect(FRAME_HEADER_BYTES % 8).toBe(0);
});

test('a frame that lies inside of a larger buffer is read from where it lies', () => {
  fc.assert(
    fc.property(frame, fc.integer({ min: 1, max: 9 }), (given, offset) => {
      const bytes = encodeFrame(given);
      const larger = new Uint8Array(offset + bytes.length);
      larger.set(bytes, offset);
      expect(decodeFrame(larger.subarray(offset))).toEqual(given);
    }),
  );
});

test('random bytes are a frame or are refused as malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(undefined, 1, 2), (bytes, kind) => {
      if (kind !== undefined && bytes.length > 0) bytes[0] = kind;
      outcomeOf(() => decodeFrame(bytes), 'DENDRO_BATCH_MALFORMED');
    }),
    { numRuns: 1_000 },
  );
});

test('a header cut short, an unknown kind, and versions that are none are refused', () => {
  const good = encodeFrame({
    kind: 'batch',
    isLast: false,
    from: 1 as Version,
    to: 2 as Version,
    now: 3 as EventNs,
    batch: new Uint8Array(),
  });
  expect(outcomeOf(() => decodeFrame(good), 'DENDRO_BATCH_MALFORMED')).toBe('read');
  const changed = (change: (view: DataView) => void) => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const bad = [
    new Uint8Array(),
    good.subarray(0, FRAME_HEADER_BYTES - 1),
    changed((view) => view.setUint8(0, 3)),
    changed((view) => view.setFloat64(8, -1, true)),
    changed((view) => view.setFloat64(16, 1.5, true)),
    changed((view) => view.setFloat64(24, Number.NaN, true)),
  ];
  for (const bytes of bad) expect(outcomeOf(() => decodeFrame(bytes), 'DENDRO_BATCH_MALFORMED')).toBe('refused');
});

test('the messages of a client are read', () => {
  expect(parseClientMessage('{"type":"subscribe"}')).toEqual({ type: 'subscribe', version: undefined });
  expect(parseClientMessage('{"type":"subscribe","version":12}')).toEqual({ type: 'subscribe', version: 12 });
  expect(parseClientMessage('{"type":"resume","version":null}')).toEqual({ type: 'resume', version: undefined });
  expect(parseClientMessage(' {"type":"pause","more":"ignored"} ')).toEqual({ type: 'pause' });
});

test.each([
  '',
  'pause',
  'null',
  '[]',
  '"pause"',
  '{}',
  '{"type":"fly"}',
  '{"type":["pause"]}',
  '{"type":"constructor"}',
  '{"__proto__":{"type":"pause"}}',
  '{"type":"subscribe","version":-1}',
  '{"type":"subscribe","version":1.5}',
  '{"type":"subscribe","version":"1"}',
  '{"type":"subscribe","version":1e300}',
  '{"type":"resume","version":9007199254740993}',
  '['.repeat(1_000_000),
  '{"type":'.repeat(100_000),
])('%.40s is refused as an invalid message', (text) => {
  expect(outcomeOf(() => parseClientMessage(text), 'DENDRO_MESSAGE_INVALID')).toBe('refused');
});

test('whatever a client sends is a message or is refused', () => {
  const almost = fc.record(
    { type: fc.oneof(fc.constantFrom('subscribe', 'pause', 'resume'), fc.anything()), version: fc.anything() },
    { requiredKeys: [] },
  );
  const any = fc.oneof(
    fc.string(),
    fc.json(),
    almost.map((value) => JSON.stringify(value, forJson) ?? ''),
  );
  fc.assert(
    fc.property(any, (text) => {
      outcomeOf(() => parseClientMessage(text), 'DENDRO_MESSAGE_INVALID');
    }),
    { numRuns: 1_000 },
  );
});

function forJson(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
