/** Closes a `switch` over a union: a variant that nobody handles is a type error here, and a loud one at run time. */
export function assertNever(value: never): never {
  throw new Error(`unexpected variant: ${JSON.stringify(value)}`);
}
