/** What lines of some format mean. */
export interface LineDecoder {
  /** Events read so far. */
  readonly decoded: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** A sentence each. */
  readonly notices: readonly string[];
  /** Why nothing in this feed can be used, as a clause that says what to do; undefined while some of it may be. */
  readonly refusal?: string | undefined;
  push(chunk: Uint8Array): void;
  /** Nothing has come for a while: what waits for more is told as it is. */
  pause?(): void;
  end(): void;
}
