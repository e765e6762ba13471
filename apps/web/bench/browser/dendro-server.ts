// A real dendro, in a process of its own, on a free port.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url));
const START_MS = 60_000;

export class DendroServer {
  /** With its token. */
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /**
   * @param args without `--data-dir` there is no history
   * @throws Error when it does not come up
   */
  static async start(args: readonly string[]): Promise<DendroServer> {
    const history = args.includes('--data-dir') ? [] : ['--no-history'];
    const child = spawn(process.execPath, [MAIN, '--port', '0', ...history, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const until = Date.now() + START_MS;
    for (;;) {
      const url = /http:\/\/\S+\?token=\S+/.exec(output)?.[0];
      if (url !== undefined) return new DendroServer(child, url);
      if (child.exitCode !== null || Date.now() > until) {
        child.kill('SIGKILL');
        throw new Error(`dendro did not start:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async post(path: string, body: string): Promise<void> {
    const { origin, searchParams } = new URL(this.url);
    const answer = await fetch(origin + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${searchParams.get('token')}`, 'content-type': 'application/x-ndjson' },
      body,
    });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGTERM');
    await ended;
  }
}
