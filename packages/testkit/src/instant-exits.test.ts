// Programs that end as soon as they have begun, twenty thousand of them: nothing
// of any is missing or wrong. A program starts them and writes down what it did
// (workload/instant-exits.c); the kernel is watched meanwhile, and of each the
// tree must hold the same: arguments, folder, file, parent and end.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProcessTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { DendroError, type FileInfo } from '@dendro/protocol';
import { EbpfSource } from '@dendro/sources';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../workload/instant-exits.c', import.meta.url));
const COUNT = 20_000;
const SEED = process.env['DENDRO_SEED'] ?? '20000';
const HEAD_BYTES = 20;
/** Of arguments a record has so many bytes at most. */
const ARGV_BYTES = 4095;
const SHOWN = 5;

interface Truth {
  readonly pid: number;
  readonly ppid: number;
  readonly code: number | undefined;
  readonly signal: number | undefined;
  readonly program: string;
  readonly folder: string;
  /** Each with a NUL. */
  readonly argv: Buffer;
}

const folder = mkdtempSync(join(tmpdir(), 'dendro-instant-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const builtProgram = join(folder, 'instant-exits');
const source = new EbpfSource();
const host = new ProcessTree({ maxProcesses: 4 * COUNT });
const why = await startOrSay();
afterAll(() => source.stop());

/** @returns why not, or undefined when the kernel is being watched */
async function startOrSay(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'only root may trace';
  if (!isBuilt()) return 'there is no C compiler';
  try {
    await source.start((event) => host.apply(event));
    return undefined;
  } catch (thrown) {
    if (thrown instanceof DendroError) return thrown.message;
    throw thrown;
  }
}

/** A static program starts and ends sooner; not everywhere can one be linked. */
function isBuilt(): boolean {
  return [['-static'], []].some(
    (mode) => spawnSync('cc', ['-O2', ...mode, '-o', builtProgram, PROGRAM], { stdio: 'ignore' }).status === 0,
  );
}

function readTruth(file: string, programs: readonly string[], folders: readonly string[]): Truth[] {
  const bytes = readFileSync(file);
  const truth: Truth[] = [];
  for (let at = 0; at < bytes.length; ) {
    const status = bytes.readUInt32LE(at + 8);
    const isSignal = (status & 0x7f) !== 0;
    const end = at + HEAD_BYTES + bytes.readUInt32LE(at + 12);
    truth.push({
      pid: bytes.readUInt32LE(at),
      ppid: bytes.readUInt32LE(at + 4),
      code: isSignal ? undefined : status >> 8,
      signal: isSignal ? status & 0x7f : undefined,
      program: programs[bytes.readUInt16LE(at + 16)]!,
      folder: folders[bytes.readUInt16LE(at + 18)]!,
      argv: bytes.subarray(at + HEAD_BYTES, end),
    });
    at = end;
  }
  return truth;
}

/** Bytes of a text in which what is no UTF-8 is written out. No argument here holds a backslash of its own. */
function bytesOf(text: string): Buffer {
  return Buffer.concat(
    text
      .split(/(\\x[0-9a-f]{2})/)
      .map((part, i) => (i % 2 === 1 ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part))),
  );
}

/** Lives of each pid in the order of their births: it can be given out more than once. */
function livesByPid({ tree }: ProcessTree): Map<number, TaskIndex[]> {
  const lives = new Map<number, TaskIndex[]>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    const of = lives.get(tree.tidOf(task));
    if (of === undefined) lives.set(tree.tidOf(task), [task]);
    else of.push(task);
  }
  for (const of of lives.values()) of.sort((a, b) => tree.startOf(a) - tree.startOf(b));
  return lives;
}

/** The life of that parent, of all that its pid has had. */
function lifeOf(truth: Truth, lives: Map<number, TaskIndex[]>, tree: TemporalTree, seen: Set<TaskIndex>): TaskIndex {
  for (const task of lives.get(truth.pid) ?? []) {
    const parent = tree.parentAt(task, tree.startOf(task));
    if (seen.has(task) || parent < 0 || tree.tidOf(parent) !== truth.ppid) continue;
    seen.add(task);
    return task;
  }
  return -1 as TaskIndex;
}

describe.skipIf(why !== undefined)(`${COUNT} programs that end at once${why === undefined ? '' : ` (${why})`}`, () => {
  const programs = ['plain', 'not for everybody', 'with-user-id'].map((name) => join(folder, name));
  const folders = [folder, join(folder, 'a folder'), join(folder, `${'deep/'.repeat(20)}down`), '/'];
  let truths: Truth[] = [];
  let tasks: TaskIndex[] = [];
  const { tree } = host;

  /** What is wrong, in words: of twenty thousand the first few are enough. */
  function expectOfAll(wrongOf: (truth: Truth, task: TaskIndex) => string | undefined): void {
    const wrong = truths.flatMap((truth, i) => {
      const why = wrongOf(truth, tasks[i]!);
      return why === undefined ? [] : [`${truth.pid}: ${why}`];
    });
    expect({ wrong: wrong.length, first: wrong.slice(0, SHOWN) }).toEqual({ wrong: 0, first: [] });
  }

  beforeAll(async () => {
    for (const path of folders) mkdirSync(path, { recursive: true });
    for (const [i, mode] of [0o755, 0o700, 0o4755].entries()) {
      copyFileSync(builtProgram, programs[i]!);
      chmodSync(programs[i]!, mode);
    }
    const file = join(folder, 'truth');
    const lists = [String(programs.length), String(folders.length), ...programs, ...folders];
    const generator = spawn(builtProgram, [SEED, String(COUNT), file, ...lists], { stdio: 'inherit' });
    const [code] = await once(generator, 'exit');
    expect(code).toBe(0);
    truths = readTruth(file, programs, folders);
    // The generator's own end comes after all of theirs.
    await vi.waitUntil(
      () =>
        livesByPid(host)
          .get(generator.pid!)
          ?.some((task) => tree.exitCodeOf(task) === 0),
      {
        timeout: 10_000,
        interval: 100,
      },
    );
    const lives = livesByPid(host);
    const seen = new Set<TaskIndex>();
    tasks = truths.map((truth) => lifeOf(truth, lives, tree, seen));
  }, 60_000);

  test('each is there, with its parent; nothing was lost', () => {
    expect(truths.length).toBe(COUNT);
    expectOfAll((_, task) => (task < 0 ? 'is not in the tree with that parent' : undefined));
    expect(source.status()).toMatchObject({ lost: 0, rejected: {} });
  });

  test('each has its arguments, byte for byte; what is longer than a record holds is marked as cut', () => {
    let cut = 0;
    expectOfAll((truth, task) => {
      const argv = tree.valueAt(task, 'argv', tree.exitOf(task)) as readonly string[] | undefined;
      if (argv === undefined) return 'no arguments are known';
      const isCut = truth.argv.length > ARGV_BYTES;
      if (isCut) cut++;
      const isMarked = argv.at(-1) === `… (cut: the command line has ${truth.argv.length} bytes)`;
      if (isCut !== isMarked) return `is${isCut ? ' not' : ''} marked as cut`;
      const got = Buffer.concat((isCut ? argv.slice(0, -1) : argv).flatMap((text) => [bytesOf(text), Buffer.alloc(1)]));
      const isSame = isCut
        ? got.subarray(0, ARGV_BYTES).equals(truth.argv.subarray(0, ARGV_BYTES)) && got.length <= ARGV_BYTES + 1
        : got.equals(truth.argv);
      return isSame ? undefined : `${JSON.stringify(argv)} and not ${JSON.stringify(truth.argv.toString('latin1'))}`;
    });
    expect(cut).toBeGreaterThan(COUNT / 200);
  });

  test('each has its file: path, inode, device, time of change, mode and links are those of stat', () => {
    const files = new Map(
      programs.map((path) => {
        const { dev, ino, mode, nlink, ctimeNs } = statSync(path, { bigint: true });
        const [device, inode, ctime] = [Number(dev), String(ino), String(ctimeNs)];
        return [path, { path, device, inode, ctime, mode: Number(mode), links: Number(nlink) }];
      }),
    );
    expectOfAll((truth, task) => {
      const { path, device, inode, ctime, mode, links } = (tree.valueAt(task, 'executable', tree.exitOf(task)) ??
        {}) as Partial<FileInfo>;
      const got = JSON.stringify({ path, device, inode, ctime, mode, links });
      const want = JSON.stringify(files.get(truth.program));
      return got === want ? undefined : `${got} and not ${want}`;
    });
  });

  test('each has the folder in which it ran', () => {
    expectOfAll((truth, task) => {
      const cwd = tree.textAt(task, 'cwd', tree.exitOf(task));
      return cwd === truth.folder ? undefined : `${cwd} and not ${truth.folder}`;
    });
  });

  test('each has its end: code or signal', () => {
    expectOfAll((truth, task) => {
      const got = `code ${tree.exitCodeOf(task)}, signal ${tree.exitSignalOf(task)}`;
      const want = `code ${truth.code}, signal ${truth.signal}`;
      return got === want ? undefined : `${got} and not ${want}`;
    });
    expect(new Set(truths.map(({ code, signal }) => code ?? -(signal ?? 0))).size).toBeGreaterThan(200);
  });

  test('the kernel has seen as many records as were read', async () => {
    await source.stop();
    const { seen, consumed, lost } = source.balance;
    expect(consumed + lost).toBe(seen);
    expect(source.status().notices).toEqual([]);
  });
});
