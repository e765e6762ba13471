// Which field an entry is of and who said it, in one byte: the low four bits of the field, two of the authority, and above
// them two more of the field, which are 0 in the files of versions with fewer fields.

import { FIELD_COUNT } from '@dendro/protocol';

/** Ids of fields are below. */
export const MAX_FIELDS = 64;
if (FIELD_COUNT > MAX_FIELDS) throw new RangeError(`a block has room for ${MAX_FIELDS} fields, not for ${FIELD_COUNT}`);

// hot: these run once per entry

/** @param authority 0 to 3 */
export function entryKind(field: number, authority: number): number {
  return (field & 15) | (authority << 4) | ((field >> 4) << 6);
}

export function fieldOfKind(kind: number): number {
  return (kind & 15) | ((kind >> 6) << 4);
}

export function authorityOfKind(kind: number): number {
  return (kind >> 4) & 3;
}
