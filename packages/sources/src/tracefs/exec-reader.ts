// Whoever reads, of the processes that tracing tells of, what is not in its records:
// told as soon as a record is read, before its event is passed on, as what lives
// for some milliseconds is gone when its turn comes.

export interface ExecReader {
  /** Does it pay to be told sooner: has one just called exec, and is there time to read the next one? */
  readonly isBusy: boolean;

  /** This process has just called exec. */
  note(pid: number): void;
}
