// `dendro tree`: the tree as text, then the end.

import { removeOwnInstance } from '@dendro/sources';
import type { TreeConfig } from './config.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

/** How often it is looked whether a recording has been read to its end. */
const LOOK_MS = 20;
/** A live source has been scanned to its end when no version came for so long. */
const QUIET_MS = 250;

export async function printTree({ at, source, maxProcesses, maxThreads }: TreeConfig): Promise<void> {
  const client = await TreeClient.start({ source, maxProcesses, maxThreads });
  const end = (): void => {
    void client.kill().then(() => {
      removeOwnInstance();
      process.exit(130);
    });
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    await untilRead(client);
    process.stdout.write(await client.ask({ kind: 'text', at }));
    const { source: status } = client.status;
    const rejected = Object.values(status.rejected).reduce((sum, times) => sum + times, 0);
    if (rejected > 0) process.stderr.write(`dendro: ${rejected} lines could not be used.\n`);
    if (status.lost > 0) process.stderr.write(`dendro: ${status.lost} events were lost.\n`);
  } finally {
    await client.stop();
  }
}

async function untilRead(client: TreeClient): Promise<void> {
  let version = -1;
  let quietSince = Date.now();
  for (;;) {
    if (client.version !== version) quietSince = Date.now();
    version = client.version;
    const isRead = client.host.isLive || client.status.source.state !== 'running';
    if (isRead && Date.now() - quietSince >= QUIET_MS) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
