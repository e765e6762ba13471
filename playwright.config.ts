import { defineConfig } from '@playwright/test';

// To bash, standard input that is a socket is a login over the network, for which it reads ~/.bashrc and whatever that
// starts: unless it is called from another shell.
process.env['SHLVL'] = '2';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Each test starts its own dendro: side by side they would see each other's load.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(process.env['CHROMIUM_PATH'] ? { executablePath: process.env['CHROMIUM_PATH'] } : {}),
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
  },
});
