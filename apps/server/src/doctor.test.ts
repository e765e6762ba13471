// `dendro doctor` on the real kernel, with the rights that tests have, and with fewer.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const SOURCES = ['ebpf', 'tracefs+cn_proc', 'tracefs', 'cn_proc', 'procfs'];

function doctor(...before: readonly string[]): string {
  const [command = '', ...args] = [...before, process.execPath, MAIN, 'doctor'];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** What it says of each source: does it work? */
function verdicts(text: string): ReadonlyMap<string, boolean> {
  return new Map(
    [...text.matchAll(/^ {2}(\S+) +(works|does not work)\./gm)].map(([, name = '', it]) => [name, it === 'works']),
  );
}

test('it tries every live source, and says which one is taken: the first that works', () => {
  const text = doctor();
  const found = verdicts(text);
  expect([...found.keys()]).toEqual(SOURCES);
  expect(found.get('procfs')).toBe(true);
  const first = SOURCES.find((name) => found.get(name));
  expect(text).toContain(`Without --source, dendro takes ${first}.`);
});

describe.skipIf(!isRoot)('with fewer rights (needs root)', () => {
  test('without the capabilities for BPF it says so, and that another source is taken', () => {
    const text = doctor('setpriv', '--bounding-set=-bpf,-perfmon,-sys_admin');
    expect(verdicts(text).get('ebpf')).toBe(false);
    expect(text).toContain('it needs the capabilities CAP_BPF and CAP_PERFMON, and lacks CAP_BPF and CAP_PERFMON');
    expect(text).not.toContain('dendro takes ebpf');
  });

  test('in a user namespace it says that root is none there', () => {
    const text = doctor('unshare', '--user', '--map-root-user');
    expect(verdicts(text).get('ebpf')).toBe(false);
    expect(text).toMatch(
      /ebpf +does not work\. eBPF cannot be used: root of a user namespace has no rights in the kernel/,
    );
  });
});
