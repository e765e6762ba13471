// `dendro tree`: the tree as text, then the end.

import { removeOwnInstance } from '@dendro/sources';
import type { TreeConfig } from './config.ts';
import type { HostClient } from './tree-worker/host-client.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

export async function printTree({ at, waitMs, ...config }: TreeConfig): Promise<void> {
  const client = await TreeClient.start(config);
  const end = (): void => {
    void client.kill().then(() => {
      removeOwnInstance();
      process.exit(130);
    });
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    const isComplete = await untilComplete(client, waitMs);
    const { hosts } = client;
    for (const host of hosts) {
      const text = await host.ask({ kind: 'text', at });
      await print(hosts.length === 1 ? text : titled(host, text));
    }
    if (!isComplete) {
      complain(
        `the source has not told everything within ${waitMs / 1000} s, so this is what was known by then: give it more time with --wait.`,
      );
    }
    for (const host of hosts) complainOfLosses(host);
  } finally {
    await client.stop();
  }
}

/** A host goes on for ever and gets so much time; a recording has an end and gets it again as long as reading goes on. */
async function untilComplete(client: TreeClient, waitMs: number): Promise<boolean> {
  const readSoFar = () => client.first.status.source.progress?.done;
  for (;;) {
    const before = readSoFar();
    if (await client.untilComplete(waitMs)) return true;
    if (client.first.info.isLive || readSoFar() === before) return false;
  }
}

/** Resolves when the text has been passed on, or nobody reads on: `dendro tree | head`. */
function print(text: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' ? resolve() : reject(error),
    );
    process.stdout.write(text, (error) => {
      if (!error) resolve();
    });
  });
}

/** Of several hosts each tree is below the name of its host. */
function titled({ number, info: { name } }: HostClient, tree: Uint8Array): Uint8Array {
  const title = name.replace(/[^\x20-\x7e]/g, '?');
  return Buffer.concat([Buffer.from(`${number === 0 ? '' : '\n'}${title}:\n`), tree]);
}

function complainOfLosses({ status: { source, stats } }: HostClient): void {
  const rejected = Object.values(source.rejected).reduce((sum, times) => sum + times, 0);
  if (rejected > 0) complain(`${rejected} lines could not be used.`);
  if (source.lost > 0) complain(`${source.lost} events were lost.`);
  if (stats.evicted > 0) {
    complain(`${stats.evicted} tasks had to leave memory: keep more with --max-processes and --max-threads.`);
  }
  if (source.state !== 'failed') return;
  for (const notice of source.notices) complain(notice);
  process.exitCode = 1;
}

function complain(sentence: string): void {
  process.stderr.write(`dendro: ${sentence}\n`);
}
