// What makes load for bench:capture: the C program beside this file when there
// is a compiler, else stress-ng, else nobody.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const LOADS = ['fork', 'exec', 'thread'] as const;
export type Load = (typeof LOADS)[number];

export interface Generator {
  readonly name: string;
  /** Runs at full rate. @returns births that it made, where it says so */
  storm(load: Load, seconds: number): Promise<number | undefined>;
  /** Starts programs that live so long, with the tag in their arguments; undefined where it cannot. */
  readonly lives: ((count: number, ms: number, tag: string) => Promise<void>) | undefined;
  /** Ends what it has started, and removes what was built. */
  remove(): void;
}

/** @throws Error with a sentence that says what is needed */
export function openGenerator(): Generator {
  const running = new Set<ChildProcess>();
  const run = async (file: string, args: readonly string[]): Promise<string> => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    running.add(child);
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
    const [code] = (await once(child, 'close')) as [number | null];
    running.delete(child);
    if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with status ${code}.`);
    return output;
  };
  const end = () => {
    for (const child of running) child.kill('SIGTERM');
  };
  const folder = mkdtempSync(join(tmpdir(), 'dendro-bench-'));
  const remove = () => {
    end();
    rmSync(folder, { recursive: true, force: true });
  };
  const program = compile(folder);
  if (program !== undefined) {
    return {
      name: 'packages/testkit/bench/generator.c',
      storm: async (load, seconds) => Number(await run(program, [load, String(seconds)])),
      lives: async (count, ms, tag) => void (await run(program, ['lives', String(count), String(ms), tag])),
      remove,
    };
  }
  if (spawnSync('stress-ng', ['--version']).error !== undefined) {
    remove();
    throw new Error('Nothing here makes load: install a C compiler (gcc or clang) or stress-ng.');
  }
  return { name: 'stress-ng', storm: (load, seconds) => stress(run, load, seconds), lives: undefined, remove };
}

async function stress(
  run: (file: string, args: readonly string[]) => Promise<string>,
  load: Load,
  seconds: number,
): Promise<undefined> {
  const stressor = { fork: '--fork', exec: '--exec', thread: '--pthread' }[load];
  await run('stress-ng', ['-q', stressor, String(availableParallelism()), '--timeout', `${seconds}s`]);
}

function compile(folder: string): string | undefined {
  const source = fileURLToPath(new URL('./generator.c', import.meta.url));
  const program = join(folder, 'dendro-storm');
  for (const compiler of ['cc', 'gcc', 'clang']) {
    // A static program starts faster, so more of them do; not everywhere can one be linked.
    for (const mode of [['-static'], []]) {
      const { status } = spawnSync(compiler, ['-O2', '-pthread', ...mode, '-o', program, source], { stdio: 'ignore' });
      if (status === 0) return program;
    }
  }
  return undefined;
}
