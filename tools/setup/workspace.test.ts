import { expect, test } from 'vitest';
import { cleanEnv, fetchingEnv } from './workspace.mjs';

test("npm's own variables are stripped, except those that say how to reach the registry", () => {
  const env = cleanEnv({
    HOME: '/home/user',
    DENDRO_TOKEN: 'secret',
    npm_lifecycle_event: 'start',
    npm_package_name: 'dendro',
    npm_config_prefix: '/usr',
    npm_config_user_agent: 'npm/11',
    npm_config_cache: '/cache',
    npm_config_registry: 'http://127.0.0.1:4873/',
    npm_config_cafile: '/ca.crt',
    npm_config_userconfig: '/home/user/.npmrc',
    NPM_CONFIG_HTTPS_PROXY: 'http://proxy',
  });
  expect(env).toEqual({
    HOME: '/home/user',
    DENDRO_TOKEN: 'secret',
    npm_config_cache: '/cache',
    npm_config_registry: 'http://127.0.0.1:4873/',
    npm_config_cafile: '/ca.crt',
    npm_config_userconfig: '/home/user/.npmrc',
    NPM_CONFIG_HTTPS_PROXY: 'http://proxy',
  });
});

test('the tools come first on the PATH', () => {
  const env = cleanEnv({ PATH: '/usr/bin' }, { node: '/tools/node24/bin/node', pnpm: '/tools/pnpm/bin/pnpm' });
  expect(env['PATH']).toBe('/tools/node24/bin:/tools/pnpm/bin:/usr/bin');
});

test('what a user set about fetching is kept', () => {
  expect(fetchingEnv({ npm_config_loglevel: 'verbose' })['npm_config_loglevel']).toBe('verbose');
});
