// For tests on the real kernel: can the process connector be had, and what
// did a workload itself see of its children?

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { toError } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import { CnProcFeed } from './feed.ts';

/** Why there is no process connector here; undefined when there is one. */
export async function whyNoConnector(): Promise<string | undefined> {
  const feed = new CnProcFeed({ clock: HostClock.read(), onRecord: () => {}, onLost: () => {} });
  try {
    await feed.start();
    feed.stop();
    return undefined;
  } catch (thrown) {
    return toError(thrown).message;
  }
}

export const hasPython = spawnSync('python3', ['-c', 'import ctypes, threading']).status === 0;

/** How a process ended, as its parent heard it from wait(2). */
export interface End {
  readonly pid: number;
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export async function run(file: string, args: readonly string[], options: SpawnOptions = {}): Promise<End> {
  const child = spawn(file, args, { stdio: 'ignore', ...options });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { pid: child.pid ?? 0, code: code ?? undefined, signal: signal ?? undefined };
}

/** Runs a script that prints "pid code" of each of its children, as `wait` gave them. */
export function runShell(script: string): { readonly pid: number; readonly children: readonly End[] } {
  const { pid, stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', maxBuffer: 1e7 });
  const children = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([child = 0, code]) => ({ pid: child, code, signal: undefined }));
  return { pid, children };
}

/** Runs Python with helpers for what a shell cannot do, and parses the JSON that it prints. */
export function runPython(script: string): Record<string, number> {
  const prelude = `
import ctypes, json, os, signal, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
SYS_exit, SYS_clone, SYS_gettid = (60, 56, 186) if os.uname().machine == 'x86_64' else (93, 220, 178)
def gettid(): return libc.syscall(SYS_gettid)
def leave(code): libc.syscall(SYS_exit, code)
def say(**facts): os.write(1, json.dumps(facts).encode()); os.close(1)
`;
  const { stdout, stderr } = spawnSync('python3', ['-c', prelude + script], { encoding: 'utf8' });
  try {
    return JSON.parse(stdout) as Record<string, number>;
  } catch (cause) {
    throw new Error(`the workload said ${JSON.stringify(stdout)} and ${stderr}`, { cause });
  }
}
