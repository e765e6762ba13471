// A host that does not exist, told to a real server in lines of Tracee: as many
// processes as are wanted, and then births, programs and ends at a steady rate.
// Seeded: every run tells of the same processes.

import { Random } from '@dendro/testkit';
import type { DendroServer } from './dendro-server.ts';

const PROGRAMS = ['node', 'python3', 'sh', 'java', 'nginx', 'postgres', 'sshd', 'curl'] as const;
const LINES_AT_ONCE = 4000;
const TURN_MS = 50;
/** So long does a process live that was born at the steady rate. */
const LIFE_MS = 2000;
/** A birth, a program, an end. */
export const EVENTS_OF_A_LIFE = 3;
/** Pids that are in nobody's query. */
const QUIET_PID = 3_000_000;
const NS = 1_000_000n;

interface Process {
  readonly pid: number;
  readonly startNs: bigint;
}

export class MadeHost {
  readonly #server: DendroServer;
  readonly #random = new Random(0x5eed_1e55);
  readonly #living: Process[] = [];
  readonly #shortLived: (Process & { readonly endsAt: number })[] = [];
  #lines: string[] = [];
  #nextPid = 2;
  #quiet = 0;
  #told = 0;

  constructor(server: DendroServer) {
    this.#server = server;
  }

  /** Events told so far. */
  get told(): number {
    return this.#told;
  }

  /** Pids of the processes that stay, in order of birth. */
  get pids(): readonly number[] {
    return this.#living.map(({ pid }) => pid);
  }

  /** Tells of processes that were born in the last ten minutes and live on; crowds of them have one parent. */
  async grow(count: number): Promise<void> {
    const nowNs = BigInt(Date.now()) * NS;
    for (let i = 0; i < count; i++) {
      const startNs = nowNs - 600_000n * NS + (BigInt(i) * 590_000n * NS) / BigInt(count);
      const among = this.#random.below(2) === 0 ? 100 : 20_000;
      this.#living.push(this.#bear(startNs, this.#living[this.#random.below(Math.min(i, among))]));
      if (this.#lines.length >= LINES_AT_ONCE) await this.#send();
    }
    await this.#send();
  }

  /** One more process, now, below one of the eldest, with a name and arguments in which nobody looks for anything. */
  async bearQuietly(): Promise<void> {
    const startNs = BigInt(Date.now()) * NS;
    const parent = this.#living[this.#random.below(100)] as Process;
    const process = { pid: QUIET_PID + this.#quiet++, startNs };
    this.#say('sched_process_fork', startNs, parent, 'sh', { child_tid: process.pid, child_pid: process.pid });
    this.#say('sched_process_exec', startNs + NS, process, 'ls', { pathname: '/bin/ls', argv: ['ls'] });
    await this.#send();
  }

  /**
   * Births, programs and ends, so many a second together, for so long; the number of those that live stays.
   * @returns how many a second they were: on a busy machine fewer than was wanted
   */
  async churn(eventsPerSecond: number, seconds: number): Promise<number> {
    const from = Date.now();
    const told = this.#told;
    const lives = (eventsPerSecond / EVENTS_OF_A_LIFE) * (TURN_MS / 1000);
    let due = 0;
    for (let turn = 1; Date.now() - from < seconds * 1000; turn++) {
      const now = Date.now();
      while (this.#shortLived[0] !== undefined && this.#shortLived[0].endsAt <= now) {
        const ended = this.#shortLived.shift() as Process;
        this.#say('sched_process_exit', BigInt(now) * NS, ended, 'sh', {
          exit_code: this.#random.below(20) === 0 ? 1 : 0,
        });
      }
      for (due += lives; due >= 1; due--) {
        const parent = this.#living[this.#random.below(Math.min(this.#living.length, 20_000))];
        this.#shortLived.push({ ...this.#bear(BigInt(now) * NS, parent), endsAt: now + LIFE_MS });
      }
      await this.#send();
      await sleep(Math.max(0, from + turn * TURN_MS - Date.now()));
    }
    return ((this.#told - told) * 1000) / (Date.now() - from);
  }

  #bear(startNs: bigint, parent: Process | undefined): Process {
    const process = { pid: this.#nextPid++, startNs };
    const program = PROGRAMS[this.#random.below(PROGRAMS.length)] as string;
    const creator = parent ?? { pid: 1, startNs: startNs - NS };
    this.#say('sched_process_fork', startNs, creator, 'sh', {
      ...{ child_tid: process.pid, child_pid: process.pid, start_time: String(startNs) },
    });
    const pathname = `/usr/bin/${program}`;
    const site = `/etc/${program}/site-${this.#random.below(50_000)}.conf`;
    this.#say('sched_process_exec', startNs + NS, process, program, {
      ...{ pathname, argv: [pathname, '--config', site, `--port=${this.#random.below(65_536)}`] },
    });
    return process;
  }

  #say(eventName: string, atNs: bigint, { pid, startNs }: Process, processName: string, args: object): void {
    const line = {
      eventName,
      timestamp: String(atNs),
      threadStartTime: String(startNs),
      hostThreadId: pid,
      hostProcessId: pid,
      hostParentProcessId: 0,
      userId: 1000 + (pid % 3),
      processName,
      args: Object.entries(args).map(([name, value]) => ({ name, value: value as unknown })),
    };
    this.#lines.push(JSON.stringify(line));
    this.#told++;
  }

  async #send(): Promise<void> {
    if (this.#lines.length === 0) return;
    const body = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    await this.#server.post('/api/v1/hosts/local/events', body);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
