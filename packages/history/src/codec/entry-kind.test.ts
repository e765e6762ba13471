import { AUTHORITY, FIELDS } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { authorityOfKind, entryKind, fieldOfKind, MAX_FIELDS } from './entry-kind.ts';
import { LONG_AGO_AUTHORITY } from './lives-encoder.ts';

test('every field there can be, by whoever, comes back out of its byte, and no two share one', () => {
  const kinds = new Set<number>();
  for (let field = 0; field < MAX_FIELDS; field++) {
    for (let authority = 0; authority <= LONG_AGO_AUTHORITY; authority++) {
      const kind = entryKind(field, authority);
      expect([fieldOfKind(kind), authorityOfKind(kind)]).toEqual([field, authority]);
      kinds.add(kind);
    }
  }
  expect(kinds.size).toBe(256);
  expect(Math.max(...kinds)).toBe(255);
});

test('bytes of fields that there always were are as they always were', () => {
  for (const { id } of Object.values(FIELDS)) {
    if (id > 15) continue;
    for (const authority of Object.values(AUTHORITY)) expect(entryKind(id, authority)).toBe(id | (authority << 4));
  }
});
