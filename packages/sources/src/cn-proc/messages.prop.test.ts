import { isTid } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { message, read } from './test-messages.ts';

const KINDS = [0, 1, 2, 4, 0x40, 0x80, 0x100, 0x200, 0x40000000, 0x80000000];
const valid = fc
  .tuple(fc.constantFrom(...KINDS), fc.array(fc.integer({ min: 1, max: 2 ** 22 }), { minLength: 6, maxLength: 6 }))
  .map(([what, data]) => message(what, data));
const datagram = fc.array(valid, { minLength: 1, maxLength: 4 }).map((messages) => Buffer.concat(messages));

test('bytes changed at will give records with possible ids or are counted, and never throw', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 12 });
  fc.assert(
    fc.property(datagram, changes, fc.nat({ max: 400 }), (bytes, edits, length) => {
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      const { records, problems } = read(bytes, length);
      for (const record of records) {
        if (record.what === 'ack') continue;
        expect(isTid(record.tid) && isTid(record.pid) && record.tid > 0 && record.cpu <= 0xffff).toBe(true);
      }
      expect(records.length + problems.length).toBeLessThanOrEqual(Math.ceil(Math.min(length, bytes.length) / 16));
      if (length > 0) expect(records.length + problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 3000 },
  );
});

test('bytes of no meaning at all are counted and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (noise) => {
      const { records, problems } = read(Buffer.from(noise));
      expect(records.length + problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});

test('a datagram that was cut off gives the records before the cut and says so', () => {
  fc.assert(
    fc.property(datagram, fc.nat({ max: 400 }), (bytes, length) => {
      const whole = Math.min(length, bytes.length);
      const { records, problems } = read(bytes, length);
      expect(records.length).toBe(Math.floor(whole / 76));
      expect(problems).toEqual(whole % 76 === 0 ? [] : ['truncated-message']);
    }),
  );
});
