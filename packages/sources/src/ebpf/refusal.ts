// Why eBPF cannot be used here, in a sentence that says what to do. libbpf's own
// words mislead: without capabilities it speaks of memory limits.

import { existsSync, readFileSync } from 'node:fs';
import { arch, endianness, release } from 'node:os';
import { DendroError } from '@dendro/protocol';
import { whyOtherPids } from '../procfs/pid-namespace.ts';
import type { FailedFrame } from './frames.ts';

/** Where to look. Tests bring their own. */
export interface EbpfSurroundings {
  readonly kernel: string;
  readonly hasBtf: boolean;
  /** Text of /proc/self/status. */
  readonly status: string;
  /** Text of /proc/self/uid_map. */
  readonly uidMap: string;
  /** Text of the kernel's lockdown file; undefined where there is none. */
  readonly lockdown: string | undefined;
  readonly arch: string;
  /** Why its events cannot be put together with /proc; a clause. */
  readonly otherPids: string | undefined;
}

const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;
const OLDEST = [5, 8] as const;
const ALL_IDS = '4294967295';
const EPERM = 1;
const EACCES = 13;
const E2BIG = 7;
const EINVAL = 22;

/** @throws DendroError DENDRO_SOURCE_UNAVAILABLE when it is certain that it cannot work */
export function ensureEbpf(surroundings = readSurroundings()): void {
  const why = whyNot(surroundings);
  if (why !== undefined) throw unavailable(why);
}

/** Is it worth a try? */
export function mayUseEbpf(): boolean {
  return whyNot(readSurroundings()) === undefined;
}

/** A clause, or undefined when nothing speaks against it. */
export function whyNot(surroundings: EbpfSurroundings): string | undefined {
  const { kernel, hasBtf, status, uidMap, lockdown, arch: cpu, otherPids } = surroundings;
  if (cpu !== 'x64' && cpu !== 'arm64') return `it is built for 64-bit x86 and ARM, and this is ${cpu}`;
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return `it needs Linux ${OLDEST.join('.')}, and this is ${kernel}`;
  }
  if (!hasBtf) {
    return 'this kernel does not describe its structures (there is no /sys/kernel/btf/vmlinux); one built with CONFIG_DEBUG_INFO_BTF does';
  }
  if (lockdown?.includes('[confidentiality]')) {
    return 'this kernel is locked down to confidentiality, where programs may not read its memory';
  }
  if (!uidMap.includes(ALL_IDS)) {
    return 'root of a user namespace has no rights in the kernel; start dendro outside of it';
  }
  if (otherPids !== undefined) return otherPids;
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const has = (capability: bigint) => (effective & (1n << capability)) !== 0n;
  if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))) return undefined;
  const missing = [has(CAP_BPF) ? '' : 'CAP_BPF', has(CAP_PERFMON) ? '' : 'CAP_PERFMON'].filter(Boolean).join(' and ');
  return `it needs the capabilities CAP_BPF and CAP_PERFMON, and lacks ${missing}; start dendro with sudo, in a container with cap_add`;
}

/**
 * What the child says, or how it ended, as a sentence.
 * @param reason clause of how it ended
 */
export function refusalOf(frame: FailedFrame | undefined, reason: string): DendroError {
  if (frame === undefined) return unavailable(`the process that loads it gave up: ${reason}`);
  return unavailable(clauseOf(frame), new Error([frame.message, frame.log].join('\n')));
}

function clauseOf({ step, errno, message, log }: FailedFrame): string {
  if (step === 'library') {
    return message.includes('GLIBC')
      ? `libbpf.so.1 is built for a newer system than this (${lastLine(message)})`
      : 'the library libbpf.so.1 is not here; with it every program is seen with its arguments, however short it lives: Debian and Ubuntu have it as the package libbpf1, Fedora as libbpf';
  }
  if (step === 'load' && errno === EPERM) {
    return 'the kernel does not allow it although the capabilities are there; a security module or a container may forbid the call bpf';
  }
  if (step === 'load' && (errno === EACCES || errno === EINVAL || errno === E2BIG)) {
    return `the kernel's verifier refused a program (${refusedLine(log)}); please report this with the kernel's version`;
  }
  if (step === 'attach') return `the kernel has no such hook (${message})`;
  return `${message}${log === '' ? '' : ` (${lastLine(log)})`}`;
}

function refusedLine(log: string): string {
  const lines = log.split('\n');
  return (lines.find((line) => line.includes('failed')) ?? lines.at(-1) ?? '').replace(/^libbpf: /, '').slice(0, 200);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}

function unavailable(why: string, cause?: Error): DendroError {
  const message = `eBPF cannot be used: ${why}.`;
  return new DendroError('DENDRO_SOURCE_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

function readSurroundings(): EbpfSurroundings {
  return {
    kernel: release(),
    hasBtf: existsSync('/sys/kernel/btf/vmlinux'),
    status: textOf('/proc/self/status') ?? '',
    uidMap: textOf('/proc/self/uid_map') ?? ALL_IDS,
    lockdown: textOf('/sys/kernel/security/lockdown'),
    arch: endianness() === 'LE' ? arch() : `${arch()} big-endian`,
    otherPids: whyOtherPids(),
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // not there, or not ours to read: then it says nothing
  }
}
