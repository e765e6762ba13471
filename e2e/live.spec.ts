// A process of this machine, in the browser, within a second: real kernel
// events, the real server, a real browser.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const WITHIN_MS = 1000;

for (const { source, asNobody } of [
  { source: 'ebpf', asNobody: false },
  { source: 'procfs', asNobody: true },
]) {
  test.describe(`as ${asNobody ? 'nobody' : 'root'}`, () => {
    let dendro: Dendro;
    let folder: string;

    test.beforeAll(async () => {
      dendro = await Dendro.start({ asNobody });
      folder = mkdtempSync(join(tmpdir(), 'dendro-e2e-'));
    });
    test.afterAll(async () => {
      rmSync(folder, { recursive: true });
      const { code } = await dendro.stop();
      expect(code).toBe(0);
    });

    test(`it says that its source is ${source}`, async ({ page }) => {
      expect(dendro.output).toContain(`source: ${source}`);
      await TreePage.open(page, dendro);
      await expect(page.getByTestId('source-name')).toContainText(source);
      await expect(page.getByTestId('connection-state')).toContainText(/connected/i);
      await expect(page.getByTestId('live-state')).toContainText(/live/i);
    });

    test('a new process appears with pid, parent and command line within a second, and so does its end', async ({
      page,
    }) => {
      const name = `unmistakable${asNobody ? 'n' : 'r'}`;
      const program = join(folder, name);
      copyFileSync('/bin/sleep', program);
      const tree = await TreePage.open(page, dendro);
      await tree.filter(name);

      // A shell in between, so that the parent is not the one who runs the tests.
      const shell: ChildProcess = spawn('/bin/sh', ['-c', `'${program}' 4321.5 & echo $!; wait`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const pid = await new Promise<number>((resolve) => {
        shell.stdout?.setEncoding('utf8').once('data', (line: string) => resolve(Number(line)));
      });
      const row = tree.row(pid);
      await expect(row).toBeVisible({ timeout: WITHIN_MS });
      await expect(row).toContainText('4321.5', { timeout: WITHIN_MS });
      await expect(row).toContainText(name);
      await expect(row).toHaveAttribute('data-state', 'running');

      // The parent row stands above, one level up.
      const level = Number(await row.getAttribute('aria-level'));
      await expect(tree.row(shell.pid)).toHaveAttribute('aria-level', String(level - 1));
      const answer = await dendro.get('/api/v1/hosts/local/tree');
      const { tasks } = (await answer.json()) as {
        tasks: { pid: number; taskId: number; parentTaskId: number | null; kind: string }[];
      };
      const byPid = (wanted: number | undefined) =>
        tasks.find((task) => task.pid === wanted && task.kind === 'process');
      expect(byPid(pid)?.parentTaskId).toBe(byPid(shell.pid)?.taskId);

      process.kill(pid, 'SIGTERM');
      await expect(row).toHaveAttribute('data-state', 'exited', { timeout: WITHIN_MS });
    });
  });
}
