// A real dendro, started as a user would start it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const START_MS = 50_000;
const RECORDED_MS = 20_000;

export interface DendroOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Run as the user `nobody`, who may read the program but owns nothing. */
  readonly asNobody?: boolean;
  readonly stdin?: 'pipe';
  readonly cwd?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Dendro {
  readonly process: ChildProcess;
  #output = '';
  readonly #ended: Promise<Ended>;

  constructor(options: DendroOptions = {}) {
    const wanted = options.args ?? ['--port', '0'];
    // Nothing is recorded where the user of this machine would look for it.
    const serves = wanted[0]?.startsWith('-') === true && !wanted.includes('--data-dir');
    const args = [MAIN, ...(serves ? ['--no-history'] : []), ...wanted];
    // May read all files, so that the program is found wherever it was cloned to; has no other right.
    const rights = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', ...rights, process.execPath, ...args];
    const [command, commandArgs] = options.asNobody ? ['setpriv', nobody] : [process.execPath, args];
    this.process = spawn(command, commandArgs, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    // A test that fails may not come to stopping it.
    const end = () => this.process.kill('SIGKILL');
    process.once('exit', end);
    this.process.once('close', () => process.off('exit', end));
    this.#ended = once(this.process, 'close').then(([code, signal]) => ({ code, signal }) as Ended);
  }

  /** Starts it and waits for its URL. */
  static async start(options: DendroOptions = {}): Promise<Dendro> {
    const dendro = new Dendro(options);
    const until = Date.now() + START_MS;
    while (dendro.url === undefined) {
      if (dendro.process.exitCode !== null || Date.now() > until) {
        dendro.process.kill('SIGKILL');
        throw new Error(`dendro did not start:\n${dendro.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return dendro;
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output;
  }

  /** The URL with its token, as printed. */
  get url(): string | undefined {
    return /http:\/\/\S+\?token=\S+/.exec(this.#output)?.[0];
  }

  get origin(): string {
    return new URL(this.url ?? '').origin;
  }

  get token(): string {
    return new URL(this.url ?? '').searchParams.get('token') ?? '';
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  /** GET as a program does it. */
  async get(path: string): Promise<Response> {
    return fetch(this.origin + path, { headers: { authorization: `Bearer ${this.token}` } });
  }

  /** Waits until all that has happened by now is on the disk: what was told with a `kill -9` is there afterwards. */
  async recorded(): Promise<void> {
    const now = BigInt(Date.now()) * 1_000_000n;
    for (const until = Date.now() + RECORDED_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const { written } = (await (await this.get('/api/v1/hosts/local/history')).json()) as { written: string | null };
      if (written !== null && BigInt(written) >= now) return;
      if (Date.now() > until) throw new Error(`what happened is not on the disk:\n${this.output}`);
    }
  }

  /** Resident set of the server now, in MiB. */
  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.process.kill(signal);
    return this.#ended;
  }
}
