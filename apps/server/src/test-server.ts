// A gateway over a real tree worker, for tests.

import { tmpdir } from 'node:os';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp } from './app.ts';
import { Histories, type HistoriesSettings } from './history/histories.ts';
import type { HostHistory } from './history/host-history.ts';
import type { WorkerOptions } from './tree-worker/messages.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const TOKEN = 'a-token-that-nobody-guesses';
export const SIGNED_IN = { host: 'localhost', authorization: `Bearer ${TOKEN}` };
const EVENTS = '/api/v1/hosts/local/events';

export class TestServer {
  readonly client: TreeClient;
  readonly app: FastifyInstance;
  readonly #histories: Histories | undefined;

  private constructor(client: TreeClient, app: FastifyInstance, histories: Histories | undefined) {
    this.client = client;
    this.app = app;
    this.#histories = histories;
  }

  /** Of the first host. */
  get history(): HostHistory | undefined {
    return this.#histories?.first;
  }

  /** @param recorded where its history is kept; otherwise there is none */
  static async start(options: Partial<WorkerOptions> = {}, recorded?: HistoriesSettings): Promise<TestServer> {
    const histories = recorded === undefined ? undefined : await Histories.open(recorded);
    const chosen = { source: 'none', maxProcesses: 1000, maxThreads: 1000, ...options };
    const client = await TreeClient.start(chosen, histories);
    const access = { token: TOKEN, cookieName: 'dendro_test', isLoopback: true, allowedHosts: [] };
    return new TestServer(client, await buildApp(client, { access, webRoot: tmpdir(), version: '0.0.0' }), histories);
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.app.inject({ url, headers: SIGNED_IN });
  }

  post(
    payload: NonNullable<InjectOptions['payload']>,
    headers: Readonly<Record<string, string>> = { 'content-type': 'application/x-ndjson' },
  ): Promise<LightMyRequestResponse> {
    return this.app.inject({ method: 'POST', url: EVENTS, payload, headers: { ...SIGNED_IN, ...headers } });
  }

  /** What `/metrics` says, by name and labels as written there, but for the label of a host that is `local`. */
  async metrics(): Promise<Map<string, number>> {
    const { body } = await this.get('/metrics');
    const samples = [...body.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm)];
    return new Map(samples.map(([, name = '', value]) => [ofFirst(name), Number(value)]));
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.client.stop();
    await this.#histories?.close();
  }
}

function ofFirst(name: string): string {
  return name.replace('host="local",', '').replace('{host="local"}', '');
}

/** A task in lines of Tracee; its start is in epoch nanoseconds. */
export interface TraceeTask {
  readonly tid: number;
  readonly pid: number;
  readonly start?: bigint;
  readonly comm?: string;
}

type Value = string | number | readonly string[];

/** A line of Tracee in its older dialect. */
export function traceeLine(
  eventName: string,
  atNs: bigint,
  task: TraceeTask,
  args: Readonly<Record<string, Value>> = {},
  more: Readonly<Record<string, Value>> = {},
): string {
  const { tid, pid, start, comm = 'sh' } = task;
  return JSON.stringify({
    eventName,
    timestamp: String(atNs),
    ...(start === undefined ? {} : { threadStartTime: String(start) }),
    hostThreadId: tid,
    hostProcessId: pid,
    hostParentProcessId: 0,
    processName: comm,
    ...more,
    args: Object.entries(args).map(([name, value]) => ({ name, value })),
  });
}

export function forkLine(atNs: bigint, creator: TraceeTask, child: TraceeTask): string {
  return traceeLine('sched_process_fork', atNs, creator, {
    child_tid: child.tid,
    child_pid: child.pid,
    start_time: String(child.start ?? atNs),
  });
}

export function exitLine(atNs: bigint, task: TraceeTask): string {
  return traceeLine('sched_process_exit', atNs, task, { exit_code: 0 });
}

export function renameLine(atNs: bigint, task: TraceeTask, comm: string): string {
  return traceeLine('task_rename', atNs, task, { new_name: comm }, { syscall: 'prctl' });
}
