// kill -9 of the server itself, again and again, while this host makes processes: every start succeeds, what was on the disk is
// there, the hole is marked, and who lives is who it was.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Random } from '@dendro/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const TOKEN = 'a-token-that-nobody-guesses';
const KILLS = Number(process.env['DENDRO_KILLS'] ?? 50);
const SEED = Number(process.env['DENDRO_SEED'] ?? 1 + (Date.now() % 1_000_000));
const SOURCE = process.geteuid?.() === 0 ? 'tracefs+cn_proc' : 'procfs';
/** One of so many servers takes what one takes that is told nothing: the best source that works here. */
const DEFAULT_EVERY = 4;
/** Of every process of the load. */
const MARK = `dendro-crash-${process.pid}`;
/** Longer than a start takes here, whatever else this machine does. */
const START_MS = 60_000;
const SECOND_NS = 1_000_000_000n;
const folder = mkdtempSync(join(tmpdir(), 'dendro-server-crash-'));
const started = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Life {
  readonly taskId: number;
  readonly pid: number;
  readonly startTime: string;
  readonly since: string;
  readonly exitTime: string | null;
  readonly cmd: readonly string[] | null;
}

interface Task {
  readonly taskId: number;
  readonly pid: number;
  readonly startTime: string;
}

/** What a server has said of the load at a moment, and up to when its history went then. */
interface Told {
  readonly lives: readonly Life[];
  /** Who lived a second before. */
  readonly instant: bigint;
  readonly living: readonly Task[];
  readonly newest: bigint;
}

class Server {
  readonly #process: ChildProcess;
  readonly #origin: string;

  private constructor(process: ChildProcess, origin: string) {
    this.#process = process;
    this.#origin = origin;
  }

  static async start(source: readonly string[]): Promise<Server> {
    const args = [MAIN, '--port', '0', ...source, '--data-dir', join(folder, 'data')];
    const env = { ...process.env, DENDRO_TOKEN: TOKEN };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    started.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    for (const end = performance.now() + START_MS; performance.now() < end; await sleep(10)) {
      const origin = /running at {2}(http:\/\/[^/]+)\//.exec(output)?.[1];
      if (origin !== undefined) return new Server(child, origin);
      if (child.exitCode !== null) break;
    }
    throw new Error(`it did not start: ${output}`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON, of which each line says what it expects
  async ask(path: string): Promise<any> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${this.#origin}/api/v1/hosts/local/${path}`, { headers });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  async told(): Promise<Told> {
    const lives = await this.lives();
    const { oldest, newest: until } = await this.ask('history');
    // Nobody is told of what was before the first run.
    const instant = [BigInt(until) - SECOND_NS, BigInt(oldest)].reduce((a, b) => (a > b ? a : b));
    const tree = await this.ask(`tree?at=${instant}`);
    const { newest } = await this.ask('history');
    return { lives, instant, living: tree.tasks, newest: BigInt(newest) };
  }

  /** Of the load, those that have run something themselves: what one has of who made it is an image only until it does. */
  async lives(): Promise<Life[]> {
    const { lives, total } = await this.ask(`search?q=${MARK}-&limit=10000&ancestors=0`);
    expect(total).toBeLessThan(10_000);
    return (lives as Life[]).filter(({ startTime, since }) => since !== startTime);
  }

  /** What was told until then is on the disk; before the first flush nothing is. */
  async written(): Promise<bigint> {
    return BigInt((await this.ask('history')).written ?? 0);
  }

  async kill(): Promise<void> {
    expect(await this.#end('SIGKILL')).toEqual([null, 'SIGKILL']);
  }

  /** Takes with it what the killed ones have left in the kernel. */
  async stop(): Promise<void> {
    expect(await this.#end('SIGTERM')).toEqual([0, null]);
  }

  async #end(signal: NodeJS.Signals): Promise<[number | null, NodeJS.Signals | null]> {
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    const end = await ended;
    started.delete(this.#process);
    return end as [number | null, NodeJS.Signals | null];
  }
}

function startLoad(): void {
  const script = `i=0; m=${MARK}; while :; do i=$((i+1)); sh -c 'sleep 0.0'$((i%10))'; :' $m-$i & sleep 0.03; done`;
  started.add(spawn('sh', ['-c', script], { stdio: 'ignore' }));
}

/** For ever. */
function startStaying(): number {
  const child = spawn('sleep', ['100000'], { stdio: 'ignore' });
  started.add(child);
  if (child.pid === undefined) throw new Error('no sleep');
  return child.pid;
}

async function idsOf(server: Server, pids: readonly number[]): Promise<number[]> {
  const ids: number[] = [];
  for (const pid of pids) {
    const isKnown = async () => {
      const { info } = await server.ask(`processes/pid:${pid}`);
      if (info?.comm !== 'sleep') return false;
      ids.push(info.taskId);
      return true;
    };
    await expect.poll(isKnown, { timeout: START_MS, interval: 20 }).toBe(true);
  }
  return ids;
}

test(`a server survives ${KILLS} kills under load`, { timeout: 40 * 60_000 }, async () => {
  console.log(`DENDRO_SEED=${SEED} DENDRO_KILLS=${KILLS}`);
  const random = new Random(SEED);
  startLoad();
  const staying = [startStaying(), startStaying(), startStaying()];
  let ids: readonly number[] | undefined;
  let onDisk: Told | undefined;
  /** All lives of the load that were on the disk at a kill. */
  const known = new Map<number, Life>();
  let checked = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    // The last one takes with it what those before have left of theirs.
    const isDefault = kill < KILLS && kill % DEFAULT_EVERY === DEFAULT_EVERY - 1;
    const server = await Server.start(isDefault ? [] : ['--source', SOURCE]);
    const again = await idsOf(server, staying);
    ids ??= again;
    expect(again).toEqual(ids);
    const { problem, damagedParts } = await server.ask('history');
    expect([problem, damagedParts]).toEqual([null, 0]);
    const { gaps } = await server.ask('gaps');
    const holes = gaps.filter(({ why }: { readonly why: string }) => why !== 'source');
    expect(holes.map(({ why }: { readonly why: string }) => why)).toEqual(Array(kill).fill('killed'));
    const hole = holes.at(-1);
    if (hole !== undefined) expect(BigInt(hole.to)).toBeGreaterThan(BigInt(hole.from));
    if (onDisk !== undefined) {
      expect(BigInt(hole.from)).toBeGreaterThanOrEqual(onDisk.newest - 1n);
      const found = new Map((await server.lives()).map((life) => [life.taskId, life]));
      for (const { taskId, pid, startTime, exitTime, cmd } of known.values()) {
        const same = { taskId, pid, startTime, cmd, ...(exitTime === null ? {} : { exitTime }) };
        expect(found.get(taskId)).toMatchObject(same);
        checked++;
      }
      const { tasks } = await server.ask(`tree?at=${onDisk.instant}`);
      const then = new Map<number, Task>((tasks as Task[]).map((task) => [task.taskId, task]));
      // Who had ended by then, as is known by now, was taken for living.
      const missing = onDisk.living.filter(({ taskId }) => !then.has(taskId) && !found.has(taskId));
      expect(missing).toEqual([]);
    }
    if (kill === KILLS) return void (await server.stop());
    const waiting: Told[] = [];
    onDisk = undefined;
    const end = performance.now() + random.below(700);
    do {
      waiting.push(await server.told());
      const written = await server.written();
      const saved = waiting.findLastIndex(({ newest }) => newest <= written);
      if (saved >= 0) onDisk = waiting[saved];
      // The first one leaves something that the others can go on with.
    } while (performance.now() < end || (kill === 0 && onDisk === undefined));
    await sleep(random.below(40)); // in the middle of whatever it does next
    await server.kill();
    for (const life of onDisk?.lives ?? []) known.set(life.taskId, life);
  }
  expect(checked).toBeGreaterThan(0);
});
