import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { EntityIds, hashThreeWords } from './entity-id.ts';

// Results of Tracee's own code.
test.each([
  [1, 1700000000123456789n, 4098127654],
  [12345, 1755852177635091549n, 2569545632],
  [12345, 1755852177625193969n, 2569545632],
  [12345, 1524976120000000n, 2712587822],
  [4242, 1700000000199999999n, 1554000911],
  [4242, 1700000000200000000n, 2902403730],
  [4194304, 1785600000000000001n, 515239573],
  [100, 1700000000000000000n, 1308413163],
  [201, 1700000008000000000n, 2013086081],
])('the entity id of tid %i started at %d ns is %i, whatever the time base', (tid, start, expected) => {
  for (const offset of [0n, 1n, 99_999_999n, 123_456_789_012_345n, -77_000_000_001n]) {
    const ids = new EntityIds({ epochNs: start - offset });
    expect(ids.of(tid, Number(offset) as EventNs)).toBe(expected);
  }
});

test.each([
  [0, 0, 0, 0xf6c56b4a],
  [1, 0, 2, 0xd25f0e74],
  [0x12345678, 0x12345678, 0x9abcdef0, 0xb065052c],
  [0xffffffff, 0, 0, 0x6d045877],
  [0, 0xffffffff, 0xffffffff, 0xece98cf5],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffa282fc],
])('the hash of words %i %i %i is %i', (a, b, c, expected) => {
  expect(hashThreeWords(a, b, c)).toBe(expected);
});
