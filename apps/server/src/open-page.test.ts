import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openingFor } from './open-page.ts';

const PATH = mkdtempSync(join(tmpdir(), 'dendro-open-'));
writeFileSync(join(PATH, 'xdg-open'), '#!/bin/sh\n');
chmodSync(join(PATH, 'xdg-open'), 0o755);
const desktop = { PATH, DISPLAY: ':0' };
const user = { env: desktop as Record<string, string>, uid: 1000, isTerminal: true };
const opens = { kind: 'open', as: undefined };
const leaves = { kind: 'leave', say: undefined };

test('a user at a desktop gets the page opened, and nobody else unless it is asked for', () => {
  expect(openingFor(undefined, true, user)).toEqual(opens);
  expect(openingFor(undefined, true, { ...user, env: { PATH, WAYLAND_DISPLAY: 'wayland-0' } })).toEqual(opens);
  expect(openingFor(undefined, true, { ...user, env: { PATH } })).toEqual(leaves);
  expect(openingFor(undefined, true, { ...user, env: { ...desktop, PATH: '/nowhere' } })).toEqual(leaves);
  expect(openingFor(undefined, true, { ...user, isTerminal: false })).toEqual(leaves);
  expect(openingFor(undefined, false, user)).toEqual(leaves);
  expect(openingFor(false, true, user)).toEqual(leaves);
  expect(openingFor(true, false, { ...user, isTerminal: false })).toEqual(opens);
});

test('root opens none unless it is asked for, and by sudo it is for the user who called it', () => {
  const root = { ...user, uid: 0 };
  const bySudo = { ...root, env: { ...desktop, SUDO_UID: '1000', SUDO_GID: '1001' } };
  for (const one of [root, bySudo]) {
    expect(openingFor(undefined, true, one)).toMatchObject({ kind: 'leave', say: expect.stringContaining('--open') });
  }
  expect(openingFor(true, true, bySudo)).toEqual({ kind: 'open', as: { uid: 1000, gid: 1001 } });
  expect(openingFor(true, true, root)).toEqual(opens);
});

test('what stands in the way is said to whoever asked', () => {
  expect(openingFor(true, true, { ...user, env: { PATH } })).toMatchObject({
    say: expect.stringContaining('no desktop'),
  });
  const none = openingFor(true, true, { ...user, env: { ...desktop, PATH: '/nowhere' } });
  expect(none).toMatchObject({ say: 'No browser is opened: there is no xdg-open.' });
});
