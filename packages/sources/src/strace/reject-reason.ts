/** Why a line, or a call, gave nothing. */
export type StraceReject =
  | 'not-strace'
  | 'not-a-lifecycle-call'
  | 'no-date'
  | 'unknown-pid'
  | 'bad-pid'
  | 'unreadable-call'
  | 'resumed-without-beginning'
  | 'birth-in-a-namespace'
  | 'time-out-of-range'
  | 'line-too-long'
  | 'truncated';
