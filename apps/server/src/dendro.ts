// The `dendro` command: starts the tree worker and the gateway, prints the URL,
// and leaves nothing behind when it is stopped.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DendroError, toError } from '@dendro/protocol';
import { ownPid, removeOwnInstance } from '@dendro/sources';
import type { FastifyInstance } from 'fastify';
import { isLoopbackAddress, type Ticket } from './access.ts';
import { DEFAULT_PORT, type RunConfig, readConfig, type ServeConfig } from './config.ts';
import { examine } from './doctor.ts';
import type { Histories } from './history/histories.ts';
import { type OpenedHistory, openHistory } from './history/open-history.ts';
import { type KeptRun, keepRun, replayCommand } from './kept-runs.ts';
import { openingFor, PageOpener } from './open-page.ts';
import { printTree } from './print-tree.ts';
import { record } from './record.ts';
import { cannotTrace, RunningCommand } from './run-command.ts';
import type { KernelOptions, RecordingTarget } from './tree-worker/messages.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const webRoot = fileURLToPath(new URL('../../web/dist', import.meta.url));
/** Without --port this many ports are tried. */
const PORTS_TRIED = 20;
/** To read of /proc who leads to a command. */
const ANCESTORS_MS = 2000;

interface Server {
  readonly app: FastifyInstance;
  readonly client: TreeClient;
  readonly histories: Histories | undefined;
}

async function start(config: ServeConfig): Promise<void> {
  const { run } = config;
  // The output of a command is its own.
  const say = run === undefined ? console.log : console.error;
  const kept = run === undefined ? undefined : keptRun(run);
  // Nothing that is started for us is part of what is traced.
  const page = run === undefined ? undefined : preparePage(run);
  // Three things take their time, and none needs another: the thread of the tree, that of the history, and the gateway.
  const kernel = kernelOptions(config);
  const client = TreeClient.ahead({ source: config.source, kernel });
  const gateway = buildGateway(client, config, page?.opener?.ticket);
  gateway.catch(() => {}); // said to those who wait for it
  let histories: Histories | undefined;
  let isBegun = false;
  let app: FastifyInstance;
  let port: number;
  try {
    const opened = await openHistory(config.history, config.maxHosts);
    histories = opened.histories;
    await startTree(client, { ...config, kernel }, kept?.recording, opened);
    isBegun = true;
    ({ app, port } = await listen(await gateway, config));
  } catch (error) {
    await (isBegun ? client.stop() : client.kill());
    await histories?.close();
    throw error;
  }
  let command: RunningCommand | undefined;
  const stop = stopOnSignals({ app, client, histories }, (signal) => command?.takeSignal(signal) ?? false);
  client.listen({
    failed: (error) => {
      console.error(`dendro: the process tree has stopped: ${error.message}`);
      process.exitCode = 1;
      void app.close().then(() => histories?.close());
    },
  });

  const { source } = client.first.status;
  say(`source: ${source.name} (${source.detail})`);
  for (const notice of source.notices) say(`  note: ${notice}`);
  if (histories !== undefined) say(`history: ${histories.first.directory}`);
  if (config.port === undefined && port !== DEFAULT_PORT) say(`port ${DEFAULT_PORT} is taken, using ${port}`);
  const name = config.listen.includes(':')
    ? `[${config.listen}]`
    : config.listen === '0.0.0.0'
      ? '127.0.0.1'
      : config.listen;
  const origin = `http://${name}:${port}`;
  say(`\n  Dendro is running at  ${origin}/?token=${config.token}\n`);
  if (run === undefined) return;
  for (const notice of [kept?.notice, page?.notice]) if (notice !== undefined) say(`  note: ${notice}`);
  page?.opener?.open(origin);
  await client.untilComplete(ANCESTORS_MS); // or a short command is over before it is known under whom it ran
  command = new RunningCommand(run.command);
  process.once('exit', () => command?.kill());
  const { status, text } = await command.ended;
  const goesOn = !run.exits && !command.endsWithIt;
  say(`dendro: ${text}${goesOn ? ' Its tree is served until Ctrl-C.' : ''}`);
  if (kept?.recording !== undefined) {
    const { file } = kept.recording;
    say(`dendro: Recorded in ${file}: drop it on the page, or see it again with  ${replayCommand(file)}`);
  }
  if (goesOn) return;
  process.exitCode = status;
  await stop();
}

function keptRun({ recording, command }: RunConfig): KeptRun {
  if (recording === undefined || 'file' in recording) return { recording, notice: undefined };
  return keepRun(recording.folder, command);
}

/** What opens the page, or what there is to say instead. */
function preparePage({ opens, exits }: RunConfig): { opener?: PageOpener; notice?: string | undefined } {
  const around = { env: process.env, uid: process.geteuid?.() ?? 0, isTerminal: process.stdout.isTTY === true };
  const opening = openingFor(opens, !exits, around);
  return opening.kind === 'open' ? { opener: new PageOpener(opening.as) } : { notice: opening.say };
}

/** A command is started by this thread: its tid is the pid of the process, which the kernel counts as /proc does. */
function kernelOptions({ run, kernel }: ServeConfig): KernelOptions {
  return run === undefined ? kernel : { ...kernel, launcherTid: ownPid() };
}

async function startTree(
  client: TreeClient,
  { run, token: _, history: __, ...options }: ServeConfig,
  recording: RecordingTarget | undefined,
  { histories, notices }: OpenedHistory,
): Promise<void> {
  if (run === undefined) return client.begin({ ...options, notices }, histories);
  try {
    await client.begin({ ...options, recording });
  } catch (thrown) {
    throw cannotTrace(thrown);
  }
}

interface Gateway {
  /** For the first port that is tried, and ready. */
  readonly first: FastifyInstance;
  build(port: number): Promise<FastifyInstance>;
}

async function buildGateway(client: TreeClient, config: ServeConfig, ticket: Ticket | undefined): Promise<Gateway> {
  const { buildApp } = await import('./app.ts');
  const build = (port: number) =>
    buildApp(client, {
      access: {
        token: config.token,
        cookieName: `dendro_${port}`,
        isLoopback: isLoopbackAddress(config.listen),
        allowedHosts: config.allowedHosts,
        ticket,
      },
      webRoot,
      version,
    });
  const first = await build(firstPort(config));
  await first.ready();
  return { first, build };
}

function firstPort({ port = DEFAULT_PORT }: ServeConfig): number {
  return port;
}

async function listen(gateway: Gateway, config: ServeConfig): Promise<{ app: FastifyInstance; port: number }> {
  const first = firstPort(config);
  const last = config.port ?? DEFAULT_PORT + PORTS_TRIED - 1;
  for (let port = first; ; port++) {
    const app = port === first ? gateway.first : await gateway.build(port);
    try {
      await app.listen({ port, host: config.listen });
      const address = app.server.address();
      return { app, port: typeof address === 'object' && address !== null ? address.port : port };
    } catch (thrown) {
      await app.close();
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code === 'EADDRINUSE' && port < last) continue;
      throw cannotListen(config, port, code, toError(thrown));
    }
  }
}

function cannotListen(config: ServeConfig, port: number, code: string | undefined, cause: Error): DendroError {
  if (code === 'EADDRINUSE') {
    const what = config.port === undefined ? `Ports ${DEFAULT_PORT} to ${port} are` : `Port ${port} is`;
    return new DendroError(
      'DENDRO_PORT_TAKEN',
      `${what} in use: choose another with --port, or leave --port out for the next free one.`,
      { cause },
    );
  }
  return new DendroError('DENDRO_OPTION_INVALID', `Cannot listen on ${config.listen} port ${port}: ${cause.message}.`, {
    cause,
  });
}

// The first signal stops in order, the second at once; neither leaves a tracefs instance or a child behind.
function stopOnSignals(
  { app, client, histories }: Server,
  isForCommand: (signal: NodeJS.Signals) => boolean,
): () => Promise<void> {
  let signals = 0;
  const stop = async (): Promise<void> => {
    signals++;
    if (signals === 1) {
      await app.close();
      await client.stop();
      await histories?.close(); // the tree has told its last by now
    } else if (signals === 2) {
      await client.kill();
      removeOwnInstance();
    }
    process.exit();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!isForCommand(signal)) void stop();
    });
  }
  return stop;
}

try {
  const config = readConfig(process.argv.slice(2), process.env, version);
  if (config?.command === 'serve') await start(config);
  if (config?.command === 'tree') await printTree(config);
  if (config?.command === 'record') await record(config);
  if (config?.command === 'doctor') await examine(console.log);
} catch (thrown) {
  const error = toError(thrown);
  console.error(error instanceof DendroError ? `dendro: ${error.message}` : error.stack);
  process.exit(1);
}
