// A lost connection comes back by itself and with everything that was missed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

test('a page whose server ends says so, keeps what it knows, and goes on with the next server', async ({ page }) => {
  const env = { DENDRO_TOKEN: 'the-same-token-for-both-runs' };
  const args = ['--port', String(await freePort())];
  const first = await Dendro.start({ env, args });
  const tree = await TreePage.open(page, first);
  await first.stop();
  const state = page.getByTestId('connection-state');
  await expect(state).toContainText('disconnected');
  await expect(tree.row(1)).toBeVisible();

  const child = spawn('sleep', ['600']);
  const second = await Dendro.start({ env, args });
  await expect(state).toContainText('connected', { timeout: 15_000 });
  await tree.filter(String(child.pid));
  await expect(tree.row(child.pid)).toBeVisible();
  child.kill();
  await second.stop();
});

test('a page that was cut off catches up with what it missed, without a new snapshot', async ({ page, context }) => {
  const dendro = await Dendro.start();
  const frames: string[] = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      frames.push(
        typeof payload === 'string'
          ? (JSON.parse(payload) as { type: string }).type
          : (['', 'batch', 'snapshot'][payload[0] ?? 0] ?? ''),
      );
    });
  });
  const tree = await TreePage.open(page, dendro);
  const state = page.getByTestId('connection-state');
  await expect(state).toContainText('connected');

  // The socket stays open and falls silent, as when a cable is pulled.
  await context.setOffline(true);
  await expect(state).toContainText(/disconnected/, { timeout: 15_000 });
  frames.length = 0;
  const child = spawn('sleep', ['600']);
  await context.setOffline(false);
  await expect(state).toContainText('connected', { timeout: 15_000 });
  await tree.filter(String(child.pid));
  await expect(tree.row(child.pid)).toBeVisible();
  child.kill();
  expect(frames).toContain('batch');
  expect(frames).not.toContain('snapshot');
  await dendro.stop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
