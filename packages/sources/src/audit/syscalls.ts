// System calls that change what the tree knows, by the numbers of each
// architecture (linux/audit.h, and the syscall tables of the kernel).

export type CallName =
  | 'fork'
  | 'vfork'
  | 'clone'
  | 'clone3'
  | 'execve'
  | 'execveat'
  | 'exit'
  | 'exit_group'
  | 'set-ids'
  | 'prctl'
  | 'unshare'
  | 'setns';

const X86_64: Readonly<Record<number, CallName>> = {
  56: 'clone',
  57: 'fork',
  58: 'vfork',
  59: 'execve',
  60: 'exit',
  105: 'set-ids',
  106: 'set-ids',
  113: 'set-ids',
  114: 'set-ids',
  117: 'set-ids',
  119: 'set-ids',
  157: 'prctl',
  231: 'exit_group',
  272: 'unshare',
  308: 'setns',
  322: 'execveat',
  435: 'clone3',
};

const AARCH64: Readonly<Record<number, CallName>> = {
  93: 'exit',
  94: 'exit_group',
  97: 'unshare',
  143: 'set-ids',
  144: 'set-ids',
  145: 'set-ids',
  146: 'set-ids',
  147: 'set-ids',
  149: 'set-ids',
  167: 'prctl',
  220: 'clone',
  221: 'execve',
  268: 'setns',
  281: 'execveat',
  435: 'clone3',
};

const I386: Readonly<Record<number, CallName>> = {
  1: 'exit',
  2: 'fork',
  11: 'execve',
  23: 'set-ids',
  46: 'set-ids',
  70: 'set-ids',
  71: 'set-ids',
  120: 'clone',
  164: 'set-ids',
  170: 'set-ids',
  172: 'prctl',
  190: 'vfork',
  203: 'set-ids',
  204: 'set-ids',
  208: 'set-ids',
  210: 'set-ids',
  213: 'set-ids',
  214: 'set-ids',
  252: 'exit_group',
  310: 'unshare',
  346: 'setns',
  358: 'execveat',
  435: 'clone3',
};

const BY_ARCH: Readonly<Record<string, Readonly<Record<number, CallName>>>> = {
  c000003e: X86_64,
  c00000b7: AARCH64,
  '40000003': I386,
};

/** What auditd calls them where it adds names. */
const BY_NAME: ReadonlyMap<string, CallName> = new Map<string, CallName>([
  ...(
    [
      'fork',
      'vfork',
      'clone',
      'clone3',
      'execve',
      'execveat',
      'exit',
      'exit_group',
      'prctl',
      'unshare',
      'setns',
    ] as const
  ).map((name): [string, CallName] => [name, name]),
  ...['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid'].flatMap((name): [string, CallName][] => [
    [name, 'set-ids'],
    [`${name}32`, 'set-ids'],
  ]),
]);

/** `other` is a call that changes nothing here; undefined when the numbers of that architecture are not known. */
export function callOf(arch: string, number: number, name: string | undefined): CallName | 'other' | undefined {
  const table = BY_ARCH[arch];
  if (table !== undefined) return table[number] ?? 'other';
  return name === undefined ? undefined : (BY_NAME.get(name) ?? 'other');
}

/** Are the flags of clone its first argument there? */
export function hasFlagsFirst(arch: string): boolean {
  return BY_ARCH[arch] !== undefined;
}
