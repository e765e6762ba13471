// What docker-compose.yml grants, tried with setpriv.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mayUseEbpf } from '@dendro/sources';
import { describe, expect, test } from 'vitest';

const compose = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
const SOURCES = import.meta.resolve('@dendro/sources');

describe.skipIf(!mayUseEbpf() || process.geteuid?.() !== 0)(
  'the capabilities of docker-compose.yml (needs root and eBPF)',
  () => {
    const granted = /cap_add:\n((?: +(?:#|- [A-Z_]+\n).*\n?)+)/.exec(compose)?.[1]?.match(/(?<=- )[A-Z_]+/g) ?? [];

    /** What the source says of itself, and of how many processes of other users it cannot say which program they run. */
    function startWith(capabilities: readonly string[]): {
      failure?: string;
      notices?: string[];
      withoutProgram?: number;
    } {
      const bounding = ['-all', ...capabilities.map((one) => `+${one.toLowerCase()}`)].join(',');
      const script = `
      import { EbpfSource, HostClock, ProcfsReader } from '${SOURCES}';
      const clock = HostClock.read();
      const source = new EbpfSource({ clock });
      try {
        await source.start(() => {});
        const seen = [...new ProcfsReader({ clock }).scan()].filter((event) => event?.type === 'observe' && event.argv);
        const withoutProgram = seen.filter(({ executable, uid }) => executable === undefined && uid !== 0).length;
        console.log(JSON.stringify({ notices: source.status().notices, withoutProgram }));
      } catch ({ message }) {
        console.log(JSON.stringify({ failure: message }));
      }
      await source.stop();
      process.exit();`;
      const options = ['--bounding-set', bounding, '--inh-caps', '-all', '--no-new-privs'];
      const node = [process.execPath, '--input-type=module', '-e', script];
      return JSON.parse(execFileSync('setpriv', [...options, ...node], { encoding: 'utf8' }));
    }

    test('those that are granted are enough, and none of them is one too many', () => {
      const other = spawn('setpriv', ['--reuid', '65534', '--clear-groups', 'sleep', '600']);
      try {
        expect(granted.toSorted()).toEqual(['BPF', 'PERFMON', 'SETGID', 'SETUID', 'SYS_PTRACE']);
        expect(startWith(granted)).toEqual({ notices: [], withoutProgram: 0 });
        const without = (name: string) => startWith(granted.filter((one) => one !== name));
        for (const name of ['BPF', 'PERFMON']) expect(without(name).failure).toContain(`lacks CAP_${name}`);
        for (const name of ['SETUID', 'SETGID']) expect(without(name).notices?.join()).toContain(`CAP_${name}`);
        expect(without('SYS_PTRACE').withoutProgram).toBeGreaterThan(0);
      } finally {
        other.kill();
      }
    });
  },
);
