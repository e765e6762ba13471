// Parts of the API's description that several routes share.

import { Type } from 'typebox';

export const Ns = Type.String({ description: 'Epoch nanoseconds, decimal' });

export const HostId = Type.Object({ host: Type.String({ description: 'An id of `hosts`; `local` is the first' }) });

export const TIME_FORMS = 'Epoch nanoseconds, RFC 3339, relative (-5m), or live';

export const At = Type.String({ default: 'live', maxLength: 64, description: TIME_FORMS });

export const Problem = Type.Object(
  { code: Type.String(), message: Type.String(), status: Type.Integer() },
  { additionalProperties: true },
);

export function Nullable<T extends Parameters<typeof Type.Union>[0][number]>(type: T, description?: string) {
  return Type.Union([type, Type.Null()], description === undefined ? {} : { description });
}
