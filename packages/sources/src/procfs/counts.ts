// What reading /proc has cost, and what it did not get to.

export interface ProcfsCounts {
  /** CPU time taken. */
  readonly spentMs: number;
  /** Processes read. */
  readonly reads: number;
  /** Processes that had gone before they could be read. */
  readonly vanished: number;
  /** Execs that were not looked at when they came, because the budget was spent. */
  readonly skipped: number;
  /** Reads that were not allowed. */
  readonly denied: number;
  /** Processes that are to be read. */
  readonly waiting: number;
}

export const NO_COUNTS: ProcfsCounts = { spentMs: 0, reads: 0, vanished: 0, skipped: 0, denied: 0, waiting: 0 };

/** Milliseconds of each second that reading /proc may take, where nobody says otherwise. */
export const DEFAULT_BUDGET_MS = 100;
