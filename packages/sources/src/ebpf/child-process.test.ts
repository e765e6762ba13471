// The child process on the real kernel: what rights it keeps, and what is left
// when it, the server or both are killed.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ProcessTree, type TaskIndex } from '@dendro/engine';
import type { EventNs, GapEvent, TaskEvent } from '@dendro/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { ProcfsReader } from '../procfs/reader.ts';
import { BpfChild, childOptions } from './child-process.ts';
import { EbpfSource } from './ebpf-source.ts';
import { bpfIdsOf, livingBpf, whyNoEbpf } from './test-host.ts';

const why = process.geteuid?.() === 0 ? await whyNoEbpf() : 'Only root may trace.';
const WAIT = { timeout: 15_000, interval: 50 };
const NOBODY = 65_534;
const SOURCE = new URL('./ebpf-source.ts', import.meta.url).href;

let source: EbpfSource | undefined;
const servers: ChildProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.kill('SIGKILL');
  await source?.stop();
  source = undefined;
});

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');
const isGone = (pid: number) => !existsSync(`/proc/${pid}/status`) || /^State:\s*Z/m.test(statusOf(pid));
/** Has its last thread, and with it all its file descriptors, gone? */
const isAllGone = (pid: number, ids: ReadonlySet<string>) => isGone(pid) && livingBpf(ids).size === 0;

describe.skipIf(why !== undefined)(
  `the child of the eBPF source${why === undefined ? '' : ` (${why})`}`,
  { timeout: 60_000 },
  () => {
    test('no thread of it has a capability, it is nobody in no group, and a signal gets nobody a debugger', async () => {
      source = new EbpfSource();
      await source.start(() => {});
      const child = source.childPid!;
      const threads = readdirSync(`/proc/${child}/task`);
      expect(threads.length).toBeGreaterThan(1);
      for (const thread of threads) {
        const status = readFileSync(`/proc/${child}/task/${thread}/status`, 'utf8');
        const line = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
        expect([line('CapEff'), line('CapPrm'), line('CapInh'), line('CapAmb')]).toEqual(Array(4).fill('0'.repeat(16)));
        expect(line('Uid')?.split('\t').map(Number)).toEqual(Array(4).fill(NOBODY));
        expect(line('Gid')?.split('\t').map(Number)).toEqual(Array(4).fill(NOBODY));
        expect(line('Groups')).toBe('');
        expect(line('Name')).not.toBe('SignalInspector');
      }
    });

    test('stopped in order nothing of it is left', async () => {
      source = new EbpfSource();
      await source.start(() => {});
      const child = source.childPid!;
      const ids = bpfIdsOf(child);
      expect([...ids].filter((id) => id.startsWith('prog')).length).toBeGreaterThanOrEqual(6);
      expect(livingBpf(ids)).toEqual(ids);
      await source.stop();
      await vi.waitUntil(() => isAllGone(child, ids), WAIT); // the kernel lets go of programs a little later
      expect(source.balance.consumed).toBe(source.balance.seen);
      expect(source.status()).toMatchObject({ state: 'ended', lost: 0, notices: [] });
    });

    test('started ahead of its source it tells of what happened before that, and nothing of it comes before the clock', async () => {
      const child = new BpfChild(childOptions({}));
      await vi.waitUntil(() => statusOf(child.pid!).includes(`Uid:\t${NOBODY}`), WAIT); // attached, and no longer root
      const { pid } = spawnSync('/bin/true');
      const events: TaskEvent[] = [];
      source = new EbpfSource({ child });
      await source.start((event) => events.push(event));
      expect(source.childPid).toBe(child.pid);
      const ofIt = () => events.filter((event) => 'pid' in event && event.pid === pid).map(({ type }) => type);
      await vi.waitUntil(() => ofIt().includes('exit'), WAIT);
      expect(ofIt()).toEqual(expect.arrayContaining(['fork', 'exec', 'exit']));
      expect(events[0]?.type).toBe('clock');
      expect(source.status()).toMatchObject({ state: 'running', lost: 0 });
    });

    test('killed it is started again by itself: a gap covers the time without it, and the tree is right after it', async () => {
      const clock = HostClock.read();
      const reader = new ProcfsReader({ clock });
      const host = new ProcessTree();
      const events: TaskEvent[] = [];
      let scans = 0;
      source = new EbpfSource({
        clock,
        scan: function* () {
          const from = clock.now();
          yield* reader.scan();
          yield { type: 'scan', from, at: clock.now() };
        },
      });
      await source.start((event) => {
        if (event.type === 'scan') scans++;
        events.push(event);
        host.apply(event);
      });
      const livesOf = (pid: number) =>
        Array.from({ length: host.tree.slotCount }, (_, slot) => slot as TaskIndex).filter(
          (task) => host.tree.isPresent(task) && host.tree.tidOf(task) === pid,
        );
      const isKnown = (pid: number) => livesOf(pid).some((task) => host.tree.isAliveAt(task, host.newest));
      const endsUnseen = spawn('sleep', ['600']);
      await vi.waitUntil(() => scans > 0 && isKnown(endsUnseen.pid!), WAIT);

      const child = source.childPid!;
      const ids = bpfIdsOf(child);
      const killedAt = clock.now();
      process.kill(child, 'SIGKILL');
      await vi.waitUntil(() => isGone(child), WAIT);
      const ended = once(endsUnseen, 'exit');
      endsUnseen.kill();
      const beginsUnseen = spawn('sleep', ['600']);
      servers.push(beginsUnseen);
      await ended;
      const isSeenAgain = () => source?.childPid !== undefined && events.some(({ type }) => type === 'gap');
      const scansBefore = scans;
      await vi.waitUntil(isSeenAgain, WAIT);

      const gap = events.find((event): event is GapEvent => event.type === 'gap');
      expect(gap?.from).toBeLessThanOrEqual(killedAt + 50e6);
      expect(gap?.to).toBeGreaterThan(killedAt);
      const after = events
        .slice(events.indexOf(gap!) + 1)
        .find((event) => event.type === 'fork' || event.type === 'exit');
      if (after !== undefined && 'at' in after) expect(after.at).toBeGreaterThan(gap!.from);
      await vi.waitUntil(() => scans > scansBefore, WAIT);
      expect(isKnown(beginsUnseen.pid!)).toBe(true);
      expect(isKnown(endsUnseen.pid!)).toBe(false);
      expect(source.childPid).not.toBe(child);
      expect(livingBpf(ids)).toEqual(new Set());
      expect(source.status().state).toBe('running');
      expect(source.status().notices.join()).toContain('it was ended by SIGKILL');

      // And what happens now is seen again.
      const seen = spawn('true');
      await vi.waitUntil(() => livesOf(seen.pid!).some((task) => host.tree.exitCodeOf(task) === 0), WAIT);
      await source.stop();
      expect(source.balance.consumed + source.balance.lost).toBe(source.balance.seen);
    });

    test('of one tree, what is killed and started again goes on with that tree, with who was born meanwhile, and nobody else', async () => {
      const clock = HostClock.read();
      const reader = new ProcfsReader({ clock });
      const host = new ProcessTree();
      const events: TaskEvent[] = [];
      source = new EbpfSource({
        clock,
        launcherTid: process.pid,
        scan: (tids) => reader.scanOnly(tids ?? [], process.pid),
      });
      await source.start((event) => {
        events.push(event);
        host.apply(event);
      });
      const script = 'while read word; do sleep 600 >/dev/null & echo $!; done';
      const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
      const sleeper = async (): Promise<number> => {
        shell.stdin.write('another\n');
        return Number(((await once(shell.stdout, 'data')) as [Buffer])[0]);
      };
      const isKnown = (pid: number) =>
        Array.from({ length: host.tree.slotCount }, (_, slot) => slot as TaskIndex).some(
          (task) =>
            host.tree.isPresent(task) &&
            host.tree.tidOf(task) === pid &&
            host.tree.isAliveAt(task, Number.POSITIVE_INFINITY as EventNs) &&
            host.tree.textAt(task, 'comm', host.newest) === 'sleep',
        );
      try {
        const before = await sleeper();
        await vi.waitUntil(() => isKnown(before), WAIT);
        const child = source.childPid!;
        process.kill(child, 'SIGKILL');
        await vi.waitUntil(() => isGone(child), WAIT);
        const meanwhile = await sleeper();
        await vi.waitUntil(() => events.some(({ type }) => type === 'gap'), WAIT);
        const after = await sleeper();
        await vi.waitUntil(() => isKnown(meanwhile) && isKnown(after), WAIT);
        expect(isKnown(before)).toBe(true);

        for (const pid of [before, meanwhile, after]) process.kill(pid, 'SIGKILL');
        await vi.waitUntil(() => ![before, meanwhile, after].some(isKnown), WAIT);
        const ends = events.flatMap((event) => (event.type === 'exit' ? [event.pid] : []));
        expect(ends).toEqual(expect.arrayContaining([before, meanwhile, after]));
        const told = events.flatMap((event) => (event.type === 'fork' || event.type === 'exit' ? [event.pid] : []));
        expect(new Set(told)).toEqual(new Set([shell.pid, before, meanwhile, after]));
      } finally {
        process.kill(-shell.pid!, 'SIGKILL');
      }
    });

    const SERVERS = [
      { where: 'in its main thread', code: 'await source.start(() => {}); tell(source.childPid);' },
      {
        where: 'in a worker thread',
        code: `
        const { Worker } = await import('node:worker_threads');
        const code = \`
          const { parentPort } = await import('node:worker_threads');
          const { EbpfSource } = await import(\${JSON.stringify(SOURCE)});
          const source = new EbpfSource();
          await source.start(() => {});
          parentPort.postMessage(source.childPid);\`;
        new Worker(new URL('data:text/javascript,' + encodeURIComponent(code))).on('message', tell);`,
      },
    ];
    /** A process that runs the source, and the pid of its child. */
    async function startServer(code: string): Promise<{ server: ChildProcess; child: number }> {
      const script = `
      const SOURCE = ${JSON.stringify(SOURCE)};
      const { EbpfSource } = await import(SOURCE);
      const source = new EbpfSource();
      const tell = (pid) => console.log(pid);
      ${code}
      setInterval(() => {}, 1000);`;
      const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      servers.push(server);
      const [line] = (await once(server.stdout!, 'data')) as [Buffer];
      return { server, child: Number(line) };
    }

    test.each(SERVERS)(
      'when the server is killed that runs it $where, it ends, and no program, link or map is left',
      async ({ code }) => {
        const { server, child } = await startServer(code);
        const ids = bpfIdsOf(child);
        expect(ids.size).toBeGreaterThanOrEqual(20);
        server.kill('SIGKILL');
        await vi.waitUntil(() => isAllGone(child, ids), WAIT);
      },
    );

    test('when both are killed nothing is left', async () => {
      const { server, child } = await startServer(SERVERS[0]!.code);
      const ids = bpfIdsOf(child);
      process.kill(child, 'SIGKILL');
      server.kill('SIGKILL');
      await vi.waitUntil(() => isAllGone(child, ids), WAIT);
    });

    test('one that ends again and again is started again ever more seldom', async () => {
      const gaps: TaskEvent[] = [];
      const pauses: number[] = [];
      source = new EbpfSource();
      await source.start((event) => {
        if (event.type === 'gap') gaps.push(event);
      });
      while (pauses.length < 3) {
        const child = source.childPid!;
        process.kill(child, 'SIGKILL');
        await vi.waitUntil(() => isGone(child), { ...WAIT, interval: 5 });
        const from = performance.now();
        await vi.waitUntil(() => source!.childPid !== undefined && source!.childPid !== child, {
          ...WAIT,
          interval: 5,
        });
        pauses.push(performance.now() - from);
        await vi.waitUntil(() => gaps.length === pauses.length, WAIT);
      }
      // No timer rings too early.
      for (const [nth, pause] of pauses.entries()) expect(pause).toBeGreaterThan(0.8 * 250 * 2 ** nth);
    });

    test('a child that is stopped does not hold up the end', async () => {
      source = new EbpfSource();
      await source.start(() => {});
      const child = source.childPid!;
      const ids = bpfIdsOf(child);
      process.kill(child, 'SIGSTOP');
      await source.stop();
      await vi.waitUntil(() => isAllGone(child, ids), WAIT);
    });

    describe('where the right to kill it is missing', () => {
      const RIGHTS = '-all,+bpf,+perfmon,+setuid,+setgid,+sys_ptrace,+dac_read_search';

      function runWithout(script: string): ChildProcess {
        const options = ['--bounding-set', RIGHTS, '--inh-caps', '-all', '--no-new-privs'];
        const node = [process.execPath, '--input-type=module', '-e', script];
        const server = spawn('setpriv', [...options, ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
        servers.push(server);
        return server;
      }
      const lineOf = async (server: ChildProcess) => String((await once(server.stdout!, 'data'))[0]).trim();

      test('it ends without its pipes', async () => {
        const server = runWithout(`
          import { BpfChild } from '${new URL('./child-process.ts', import.meta.url).href}';
          import { OBJECT_PATH } from '${new URL('./object.ts', import.meta.url).href}';
          const visitor = { ready: () => child.kill(), failed: console.log, records() {}, record() {}, recordsEnd() {} };
          const child = new BpfChild({ objectPath: OBJECT_PATH, ringBytes: 2 ** 20, pollMs: 20 });
          child.read(visitor);
          console.log(JSON.stringify({ pid: child.pid, why: await child.exited }));
          process.exit();`);
        const { pid, why } = JSON.parse(await lineOf(server)) as { pid: number; why: string };
        expect(why).toMatch(/^it ended with code \d/);
        expect(isGone(pid)).toBe(true);
      });

      test('one that is stopped does not hold up the end, and ends when it goes on', async () => {
        const server = runWithout(`
          import { EbpfSource } from '${SOURCE}';
          const source = new EbpfSource();
          await source.start(() => {});
          console.log(source.childPid);
          process.stdin.once('data', async () => {
            process.stdin.destroy();
            await source.stop();
          });`);
        const child = Number(await lineOf(server));
        process.kill(child, 'SIGSTOP');
        const ended = once(server, 'exit');
        server.stdin!.write('stop');
        expect((await ended)[0]).toBe(0);
        process.kill(child, 'SIGCONT');
        await vi.waitUntil(() => isGone(child), WAIT);
      });
    });
  },
);
