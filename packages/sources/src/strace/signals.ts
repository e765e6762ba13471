/** Signals of Linux by name, as nearly all of its architectures number them; whoever reads need not run one. */
export const SIGNALS: ReadonlyMap<string, number> = new Map(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
    .split(' ')
    .map((name, i): [string, number] => [`SIG${name}`, i + 1])
    .concat([
      ['SIGIOT', 6],
      ['SIGPOLL', 29],
    ]),
);
