// Containers with processes of their own, as unshare makes them on this machine.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ownPid, whyOtherPids } from './pid-namespace.ts';

const INDEX = new URL('../index.ts', import.meta.url).href;
const MODULE = new URL('./pid-namespace.ts', import.meta.url).href;
const REFUSED = /the kernel tells of the whole host, and \/proc here shows .* a container only.*--pid=host/;

/** What a program prints that runs in another pid namespace. */
function elsewhere(options: readonly string[], script: string): unknown {
  const args = ['--pid', '--fork', ...options, process.execPath, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

describe.skipIf(process.geteuid?.() !== 0)('another pid namespace (needs root)', () => {
  test('with a /proc of its own no source of kernel events starts', () => {
    const refusals = elsewhere(
      ['--mount-proc'],
      `import { EbpfSource, KernelSource, mayUseEbpf } from '${INDEX}';
      import { TracefsSource } from '${new URL('../tracefs/tracefs-source.ts', import.meta.url).href}';
      const refusals = [String(mayUseEbpf())];
      for (const source of [new EbpfSource(), new KernelSource(), new TracefsSource()])
        await source.start(() => {}).then(() => refusals.push('started'), (error) => refusals.push(error.code + error.message));
      console.log(JSON.stringify(refusals));
      process.exit();`,
    ) as string[];
    expect(refusals).toHaveLength(4);
    expect(refusals[0]).toBe('false');
    for (const refusal of refusals.slice(1)) {
      expect(refusal).toMatch(/^DENDRO_SOURCE_UNAVAILABLE/);
      expect(refusal).toMatch(REFUSED);
    }
  });

  test('with the /proc of the host they go together, and its own pid is that of the host', () => {
    const script = `import { ownPid, whyOtherPids } from '${MODULE}';
      console.log(JSON.stringify([whyOtherPids() ?? 'none', ownPid(), process.pid]));`;
    const [why, own, pid] = elsewhere([], script) as [string, number, number];
    expect(why).toBe('none');
    expect(pid).toBe(1);
    expect(own).toBeGreaterThan(1);
  });
});

describe('what /proc shows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-proc-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function proc(namespace: string, second: string): string {
    mkdirSync(join(folder, 'self/ns'), { recursive: true });
    mkdirSync(join(folder, '2'), { recursive: true });
    symlinkSync(`pid:[${namespace}]`, join(folder, 'self/ns/pid'));
    writeFileSync(join(folder, '2/stat'), second);
    return folder;
  }

  test('the first namespace is that of the host', () => {
    expect(whyOtherPids(proc('4026531836', ''))).toBeUndefined();
  });

  test('so is one that shows the threads of the kernel', () => {
    expect(whyOtherPids(proc('4026532000', '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0'))).toBeUndefined();
  });

  test('a program that only calls itself so is none', () => {
    expect(whyOtherPids(proc('4026532000', '2 (kthreadd) S 1 1 1 0 -1 4194560 0 0'))).toMatch(REFUSED);
    expect(whyOtherPids(join(folder, 'nothing'))).toMatch(REFUSED);
  });

  test('here it is its own', () => {
    expect(ownPid()).toBe(process.pid);
  });
});
