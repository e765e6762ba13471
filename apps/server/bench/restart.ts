// `pnpm bench:restart DIR [--source SOURCE]...`: how long a server takes to serve again, on a directory that `pnpm bench:history
// --keep DIR` has made. Its tasks are those of this boot, so all that lived are joined; the first scan of /proc then finds that none
// is here. DIR stays as it is. Without --source it is the source that a server takes by itself, for root eBPF.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const TOKEN = 'a-token-that-nobody-guesses';
const RUNS = 5;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { source: { type: 'string', multiple: true } },
});
const [kept] = positionals;
if (kept === undefined) throw new Error('give the directory that "pnpm bench:history --keep DIR" has made');

interface Start {
  /** As the server names it. */
  readonly source: string;
  readonly ms: number;
  /** Threads are in it, and all that ran here when the source started. */
  readonly tasks: number;
}

/** From the start of the process until it has answered with the tree of the present, with what ran before: this process, too. */
async function start(args: readonly string[]): Promise<Start> {
  const began = performance.now();
  const env = { ...process.env, DENDRO_TOKEN: TOKEN };
  const all = [MAIN, '--port', '0', ...args];
  const child = spawn(process.execPath, all, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const { origin, source } = await outputOf(child);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const tree = (query: string) =>
      fetch(`${origin}/api/v1/hosts/local/tree${query}`, { headers }).then((a) => a.text());
    const own = `"pid":${process.pid},`;
    while (!(await tree('')).includes(own)) await sleep(2);
    const ms = performance.now() - began;
    const { returned } = JSON.parse(await tree('?exited=true')) as { returned: number };
    return { source, ms, tasks: returned };
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function outputOf({ stdout }: ChildProcess): Promise<{ readonly origin: string; readonly source: string }> {
  let output = '';
  stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  for (;;) {
    const [, source, origin] = /^source: (\S+) .*running at {2}(http:\/\/[^/]+)\//s.exec(output) ?? [];
    if (source !== undefined && origin !== undefined) return { origin, source };
    await sleep(2);
  }
}

/** On a copy: a run that has joined them has also found that they are gone. */
async function startOn(directory: string, args: readonly string[]): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-restart-'));
  try {
    cpSync(directory, join(folder, 'data'), { recursive: true });
    return await start(['--data-dir', join(folder, 'data'), ...args]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function median(what: string, goal: string, run: () => Promise<Start>): Promise<void> {
  await run(); // ended in order, it keeps what was compiled
  const starts: Start[] = [];
  for (let i = 0; i < RUNS; i++) starts.push(await run());
  starts.sort((a, b) => a.ms - b.ms);
  const { source, ms, tasks } = starts[RUNS >> 1] as Start;
  const [least, most] = [starts[0] as Start, starts.at(-1) as Start].map((one) => one.ms.toFixed(0));
  process.stdout.write(
    `| ${source} | ${what} | ${ms.toFixed(0)} ms (${least} to ${most}), ${tasks} tasks | ${goal} |\n`,
  );
}

process.stdout.write('| source | | until the tree of the present is answered | goal |\n| --- | --- | --- | --- |\n');
for (const source of values.source ?? [undefined]) {
  const args = source === undefined ? [] : ['--source', source];
  await median('start without a history', '', () => start(['--no-history', ...args]));
  await median('start on the history, all joined', '≤ 1000 ms', () => startOn(kept, args));
}
