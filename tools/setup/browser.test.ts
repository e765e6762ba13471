import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureBrowser } from './browser.mjs';

const TOOLS = { node: process.execPath, pnpm: '/nonexistent/pnpm' };

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-browser-'));
  vi.stubEnv('CHROMIUM_PATH', '');
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A program of that name that answers every call with this exit status. */
function plant(name: string, status: number): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
  return path;
}

test('the browser named by CHROMIUM_PATH goes before any other', async () => {
  plant('chromium', 0);
  const named = plant('my-browser', 0);
  vi.stubEnv('CHROMIUM_PATH', named);
  expect(await ensureBrowser(TOOLS)).toBe(named);
});

test('a CHROMIUM_PATH that does not run is an error, not a reason to take another', async () => {
  plant('chromium', 0);
  vi.stubEnv('CHROMIUM_PATH', plant('my-browser', 1));
  await expect(ensureBrowser(TOOLS)).rejects.toThrow(
    /^CHROMIUM_PATH is .*my-browser, and that is not a browser that runs here\.$/,
  );
  vi.stubEnv('CHROMIUM_PATH', '/nonexistent/chromium');
  await expect(ensureBrowser(TOOLS)).rejects.toThrow('CHROMIUM_PATH is /nonexistent/chromium');
});

test('a system browser that does not start is passed over for the next one on the PATH', async () => {
  plant('chromium', 1); // Ubuntu without snap, or a browser without its libraries
  vi.stubEnv('PATH', folder);
  const working = plant('google-chrome-stable', 0);
  expect(await ensureBrowser(TOOLS)).toBe(working);
});
