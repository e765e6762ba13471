/** A stretch of time, both ends included. */
export interface EpochRange {
  readonly fromEpochNs: bigint;
  readonly toEpochNs: bigint;
}
