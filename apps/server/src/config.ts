// What the command line and the environment say.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DendroError, toError } from '@dendro/protocol';
import { DEFAULT_BUDGET_MS, DEFAULT_MAX_HOSTS } from '@dendro/sources';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { isLoopbackAddress, MIN_TOKEN_LENGTH, newToken } from './access.ts';
import { MAX_KEPT } from './kept-runs.ts';
import { isOfThisHost, SOURCE_FORMS } from './tree-worker/choose-source.ts';
import type { KernelOptions, RecordingTarget } from './tree-worker/messages.ts';

/** `dendro`: serve the tree. */
export interface ServeConfig extends SourceConfig {
  readonly command: 'serve';
  /** `dendro run`: what to start, trace and show. */
  readonly run?: RunConfig | undefined;
  /** Undefined: the default port, or the next free one. */
  readonly port: number | undefined;
  readonly listen: string;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  /** Of a recording; undefined: as fast as it can be read. */
  readonly speed: number | undefined;
  /** Undefined: what happens is kept in memory only. */
  readonly history: HistoryConfig | undefined;
}

/** Where what happens is recorded, and how much of it is kept. */
export interface HistoryConfig {
  readonly directory: string;
  /** Was the directory not named? Then dendro starts even if it cannot be used. */
  readonly isDefault: boolean;
  readonly maxAgeNs: bigint;
  readonly maxBytes: number;
}

export interface RunConfig {
  readonly command: readonly string[];
  /** Ends with the command, and with its status, instead of going on to serve. */
  readonly exits: boolean;
  /** Where to record it: a file, or a folder where it gets a name. Undefined: nowhere. */
  readonly recording: RecordingTarget | { readonly folder: string } | undefined;
  /** Shall a browser be opened? Undefined: if there is one who would see it. */
  readonly opens: boolean | undefined;
}

/** `dendro tree`: print it. */
export interface TreeConfig extends SourceConfig {
  readonly command: 'tree';
  readonly at: string;
  /** How long a source may take to tell what runs. */
  readonly waitMs: number;
}

/** `dendro record`: write what happens to a file. */
export interface RecordConfig extends SourceConfig {
  readonly command: 'record';
  readonly file: string;
  /** May it overwrite a file? */
  readonly isForced: boolean;
  /** Undefined: until it is stopped, or the source ends. */
  readonly forMs: number | undefined;
}

/** `dendro doctor`: say which sources work here. */
export interface DoctorConfig {
  readonly command: 'doctor';
}

export type Config = ServeConfig | TreeConfig | RecordConfig | DoctorConfig;

interface SourceConfig {
  readonly source: string | undefined;
  /** Empty: all hosts. */
  readonly hostFrom: readonly string[];
  readonly maxHosts: number;
  readonly follow: boolean;
  readonly policies: readonly string[];
  readonly maxProcesses: number;
  readonly maxThreads: number;
  readonly procfsBudgetMs: number;
  /** Undefined: binaries are not hashed. */
  readonly hashMaxMb: number | undefined;
  readonly kernel: KernelOptions;
}

export const DEFAULT_PORT = 7337;
const GB = 1e9;
const UNIT_BYTES: Readonly<Record<string, number>> = { MB: 1e6, GB, TB: 1e12 };
/** The journal of the file alone may have nearly as much. */
const MIN_HISTORY_BYTES = 20e6;
const SECOND_NS = 1_000_000_000n;
const DAY_NS = 86_400n * SECOND_NS;
const UNIT_NS: Readonly<Record<string, bigint>> = { s: SECOND_NS, m: 60n * SECOND_NS, h: 3600n * SECOND_NS, d: DAY_NS };

/**
 * @returns undefined when help or version was asked for and has been printed
 * @throws DendroError DENDRO_OPTION_INVALID
 */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Config | undefined {
  let config: Config | undefined;
  const program = withSource(new Command('dendro'))
    .description('The process tree of this host in a browser: live, and as it was at any past instant.')
    .version(version)
    .enablePositionalOptions(); // what follows a command is for it
  withServer(program)
    .option('--speed <number>', 'plays replay:FILE at so many times its speed (default: at once)', factor)
    .option('--data-dir <directory>', `where the history of this host is kept (default: ${defaultDirectory(env)})`)
    .option('--no-history', 'keep what happens in memory only')
    .addOption(
      new Option('--keep <time>', 'how long the history goes back, as 36h or 7d')
        .argParser(duration)
        .default(7n * DAY_NS, '7d'),
    )
    .addOption(
      new Option('--max-size <size>', 'how large the history of each host may become, as 500MB or 10GB')
        .argParser(size)
        .default(10 * GB, '10GB'),
    )
    .action((options: Options) => {
      config = serveConfig(options, env);
    });
  withServer(withKeeping(program.command('run')))
    .description('Start a command and show the tree of its processes, from its birth on.')
    .argument('<command...>', 'the command and its arguments, after two dashes')
    .option('--exit', 'end with the command, and with its status')
    .option(
      '-o, --output <file>',
      `where to record it, for --source replay:FILE; only its owner may read the file (default: a new one in ${runsDirectory(env)}, which keeps the newest ${MAX_KEPT})`,
    )
    .option('--force', 'overwrite the file')
    .option('--no-record', 'do not record it')
    .option('--open', 'open the page in the browser, also as root (with sudo: as the user who called it)')
    .option('--no-open', 'do not open it (default: as root, without a desktop or a terminal, and with --exit)')
    .passThroughOptions() // from the command on, all is for it
    .action((command: readonly string[], options: Options) => {
      const exits = options['exit'] === true;
      const opens = options['open'] as boolean | undefined;
      config = { ...serveConfig(options, env), run: { command, exits, recording: runRecording(options, env), opens } };
    });
  withSource(program.command('tree'))
    .description('Print the tree as text, as of a time.')
    .option('--at <time>', 'epoch nanoseconds, RFC 3339, relative to now (-5m), or live', 'live')
    .option('--wait <seconds>', 'how long the source may take to tell what runs', count(1, 86_400), 10)
    .action((options: Options) => {
      const waitMs = (options['wait'] as number) * 1000;
      config = { command: 'tree', at: String(options['at']), waitMs, ...sourceConfig(options) };
    });
  withSource(program.command('record'))
    .description('Record what happens, for --source replay:FILE. Ends on Ctrl-C.')
    .requiredOption(
      '-o, --output <file>',
      'where to write it; only its owner may read it, for command lines hold secrets',
    )
    .option('--force', 'overwrite the file')
    .option('--for <seconds>', 'end after so many seconds', count(1, 10 * 365 * 86_400))
    .action((options: Options) => {
      const seconds = options['for'] as number | undefined;
      config = {
        command: 'record',
        file: String(options['output']),
        isForced: options['force'] === true,
        forMs: seconds === undefined ? undefined : seconds * 1000,
        ...sourceConfig(options),
      };
    });
  program
    .command('doctor')
    .description('Try every source of live events, and say what works here, what does not and why.')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action(() => {
      config = { command: 'doctor' };
    });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new DendroError('DENDRO_OPTION_INVALID', asSentence(error.message));
  }
  return config;
}

type Options = Readonly<Record<string, unknown>>;

function withServer(command: Command): Command {
  return command
    .option('--port <number>', `port to listen on (default: ${DEFAULT_PORT}, or the next free one)`, count(0, 65_535))
    .option('--listen <address>', 'address to listen on', '127.0.0.1')
    .option('--insecure', 'allow --listen beyond loopback without TLS')
    .option('--allow-host <name...>', 'further host names to answer under, as a reverse proxy needs')
    .option('--token-file <file>', 'read the access token from a file (else DENDRO_TOKEN, else a random one)');
}

function withSource(command: Command): Command {
  return withKeeping(command)
    .option('--source <source>', `where events come from: ${SOURCE_FORMS.join(', ')} (default: the best that works)`)
    .option('--host-from <name...>', 'the hosts whose events are taken out of a feed (default: all)')
    .option('--max-hosts <number>', 'hosts of a feed that get a tree', count(1, 1024), DEFAULT_MAX_HOSTS)
    .option('--follow', 'go on reading a file of tracee:FILE as it is written and rotated')
    .option('--policy <name...>', "Tracee's policies whose events tracee-grpc asks for (default: all events)");
}

/** What every command takes. */
function withKeeping(command: Command): Command {
  return command
    .option('--max-processes <number>', 'processes kept in memory', count(16, 10_000_000), 16_384)
    .option('--max-threads <number>', 'threads kept in memory', count(16, 10_000_000), 32_768)
    .option(
      '--procfs-budget <ms>',
      'milliseconds per second that reading /proc may take',
      count(1, 1000),
      DEFAULT_BUDGET_MS,
    )
    .option('--hash', 'give the sha256 of the binaries that processes run')
    .option('--hash-max-mb <number>', 'binaries larger than this are not hashed', count(1, 65_536), 64)
    .option(
      '--buffer-kb <number>',
      'kernel memory for events of each CPU, in KiB (default: 8192, less on small hosts)',
      count(4, 4_194_304),
    )
    .option('--poll-ms <number>', 'how often kernel events are read (default: 20)', count(1, 10_000))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
}

function sourceConfig(options: Options): SourceConfig {
  return {
    source: options['source'] as string | undefined,
    hostFrom: (options['hostFrom'] as string[] | undefined) ?? [],
    maxHosts: (options['maxHosts'] as number | undefined) ?? DEFAULT_MAX_HOSTS,
    follow: options['follow'] === true,
    policies: (options['policy'] as string[] | undefined) ?? [],
    maxProcesses: options['maxProcesses'] as number,
    maxThreads: options['maxThreads'] as number,
    procfsBudgetMs: options['procfsBudget'] as number,
    hashMaxMb: options['hash'] === true ? (options['hashMaxMb'] as number) : undefined,
    kernel: {
      bufferKb: options['bufferKb'] as number | undefined,
      pollMs: options['pollMs'] as number | undefined,
    },
  };
}

function serveConfig(options: Options, env: NodeJS.ProcessEnv): ServeConfig {
  const listen = String(options['listen']);
  if (!isLoopbackAddress(listen) && !options['insecure']) {
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      `--listen ${listen} would send command lines unencrypted over the network: put a TLS proxy before it and add --insecure, or listen on 127.0.0.1.`,
    );
  }
  return {
    command: 'serve',
    port: options['port'] as number | undefined,
    listen,
    token: readToken(options['tokenFile'] as string | undefined, env),
    allowedHosts: ((options['allowHost'] as string[] | undefined) ?? []).map((name) => name.toLowerCase()),
    speed: options['speed'] as number | undefined,
    history: historyConfig(options, env),
    ...sourceConfig(options),
  };
}

/** `dendro run` has none: its options are not those of a history. */
function historyConfig(options: Options, env: NodeJS.ProcessEnv): HistoryConfig | undefined {
  const named = options['dataDir'] as string | undefined;
  const source = options['source'] as string | undefined;
  if (options['history'] !== true) {
    if (named === undefined) return undefined;
    throw new DendroError('DENDRO_OPTION_INVALID', 'Give either --data-dir or --no-history, not both.');
  }
  if (!isOfThisHost(source)) {
    if (named === undefined) return undefined;
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      `--data-dir is for live sources of this host: leave it out with --source ${source}.`,
    );
  }
  // What is posted is recorded only when that is asked for.
  if (named === undefined && source === 'none') return undefined;
  return {
    directory: named === undefined ? defaultDirectory(env) : resolve(named),
    isDefault: named === undefined,
    maxAgeNs: options['keep'] as bigint,
    maxBytes: options['maxSize'] as number,
  };
}

/** @throws DendroError DENDRO_OPTION_INVALID */
function runRecording(options: Options, env: NodeJS.ProcessEnv): RunConfig['recording'] {
  const file = options['output'] as string | undefined;
  if (options['record'] === true) {
    return file === undefined ? { folder: runsDirectory(env) } : { file, isForced: options['force'] === true };
  }
  if (file === undefined) return undefined;
  throw new DendroError('DENDRO_OPTION_INVALID', 'Give either --output or --no-record, not both.');
}

function runsDirectory(env: NodeJS.ProcessEnv): string {
  return join(defaultDirectory(env), 'runs');
}

/** As the XDG Base Directory Specification has it; of root, where services keep theirs. */
function defaultDirectory({ XDG_STATE_HOME: state }: NodeJS.ProcessEnv): string {
  if (state !== undefined && isAbsolute(state)) return join(state, 'dendro');
  return process.geteuid?.() === 0 ? '/var/lib/dendro' : join(homedir(), '.local', 'state', 'dendro');
}

/** What commander says, in one line that begins and ends like a sentence. */
function asSentence(message: string): string {
  const text = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/[.]+$/, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. See --help.`;
}

function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

function duration(text: string): bigint {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ns = BigInt(digits ?? 0) * (UNIT_NS[unit] ?? 0n);
  if (ns <= 0n) throw new InvalidArgumentError('It must be a number and s, m, h or d');
  return ns;
}

function size(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)(MB|GB|TB)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(digits ?? 0) * (UNIT_BYTES[unit.toUpperCase()] ?? 0));
  if (bytes < MIN_HISTORY_BYTES)
    throw new InvalidArgumentError('It must be a number and MB, GB or TB, and at least 20MB');
  return bytes;
}

/** How many times as fast. */
function factor(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value < 0.001 || value > 1_000_000) {
    throw new InvalidArgumentError('It must be a number from 0.001 to 1000000');
  }
  return value;
}

function readToken(file: string | undefined, env: NodeJS.ProcessEnv): string {
  const token = file === undefined ? env['DENDRO_TOKEN'] : readTokenFile(file);
  if (token === undefined || token === '') return newToken();
  if (token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      `The token must have at least ${MIN_TOKEN_LENGTH} characters, all visible ASCII: make one with "openssl rand -hex 24".`,
    );
  }
  return token;
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (thrown) {
    throw new DendroError('DENDRO_OPTION_INVALID', `--token-file ${file} cannot be read: ${toError(thrown).message}.`);
  }
}
