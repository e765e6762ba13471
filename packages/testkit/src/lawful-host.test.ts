// Before anything is compared with the oracle: are the streams hard enough, does
// the oracle say what the rules say, and do the dialects say what sources say?

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskEvent } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Happening, LawfulHost, type Life, MS, trueParent, trueValue } from './lawful-host.ts';
import { timesAround } from './lawful-host-compare.ts';
import { IN_PASSING, type Statement, tellProcfs, tellTracee, tellTracefs } from './lawful-host-dialects.ts';
import { Oracle } from './lawful-host-oracle.ts';
import { steps } from './lawful-host-steps.ts';
import { Random } from './workload.ts';

const STREAMS = 200;

describe('the streams', () => {
  const hosts = fc
    .sample(steps({ weights: { look: 6 } }), { numRuns: STREAMS, seed: 1 })
    .map((list) => new LawfulHost().run(list));
  const lives = hosts.flatMap((host) => host.lives);
  const happenings = hosts.flatMap((host) => host.happenings);
  const ended = lives.filter((life) => life.exit !== Number.POSITIVE_INFINITY);
  const of = <W extends Happening['what']>(what: W) =>
    happenings.filter((one): one is Extract<Happening, { what: W }> => one.what === what);

  test('are long, and full of what is hard', () => {
    const reused = hosts.map((host) => host.lives.length - new Set(host.lives.map(({ tid }) => tid)).size);
    const births = of('birth');
    const exits = of('exit');
    const counts = {
      'births under a used tid': reused.reduce((sum, count) => sum + count, 0),
      threads: births.filter(({ life }) => life.leader !== life).length,
      'threads of threads': births.filter(({ life }) => life.leader !== life && life.creator !== life.leader).length,
      'children of threads': births.filter(({ life }) => life.leader === life && life.creator !== life.creator?.leader)
        .length,
      siblings: births.filter(({ life }) => life.isSibling).length,
      vforks: births.filter(({ isVfork }) => isVfork).length,
      'new namespaces': births.filter(({ life }) => life.nsPid === 1 && life.leader === life).length,
      execs: of('exec').length,
      'execs by a thread': of('exec').filter(({ life, caller }) => life !== caller).length,
      'execs that kill threads': exits.filter(({ isLast, signal }) => !isLast && signal !== undefined).length,
      orphans: of('reparent').length,
      'orphans of a subreaper': of('reparent').filter(({ parent }) => parent.tid !== 1).length,
      'orphans that nobody tells of': of('reparent').filter(({ isTold }) => !isTold).length,
      'leaders that leave first': lives.reduce((sum, { left }) => sum + left.length, 0),
      'ends that several say are the last': hosts
        .flatMap((host) => [...Map.groupBy(host.happenings, ({ step }) => step).values()])
        .filter((step) => step.filter((one) => one.what === 'exit' && one.isLast).length > 1).length,
      'deaths by a signal': ended.filter(({ leader, signal }) => leader.signal !== undefined && signal).length,
      'exits that nobody tells': exits.filter(({ isQuiet }) => isQuiet).length,
      'changes of user or group': of('credentials').length,
      renames: of('rename').length,
      'looks at the dead': of('look').filter(({ life, at }) => life.exit < at).length,
    };
    // Each once in four streams, at least; most of them many times in each.
    const scarce = Object.entries(counts).filter(([, count]) => count < STREAMS / 4);
    expect(scarce).toEqual([]);
    expect(counts['births under a used tid']).toBeGreaterThan(5 * STREAMS);
    expect(Math.max(...hosts.map((host) => host.lives.length))).toBeGreaterThan(40);
  });

  test('obey the law: a tid is given out again when its life is over, and not too soon', () => {
    for (const host of hosts) {
      for (const list of Map.groupBy(host.lives, ({ tid }) => tid).values()) {
        for (const [place, life] of list.slice(1).entries()) {
          const before = list[place]!;
          expect(life.start - before.start).toBeGreaterThanOrEqual(2 * MS);
          expect(before.exit).toBeLessThan(life.start);
        }
      }
    }
    const early = ended.filter((life) => life.exit < life.start || life.changes.some(({ since }) => since > life.exit));
    expect(early).toEqual([]);
    // Whoever is a parent lives.
    for (const { life, parent, at } of of('reparent')) expect(parent.exit > at && life.exit > at).toBe(true);
  });

  test('what a tracer tells of them is all that is true', () => {
    for (const host of hosts) {
      const oracle = new Oracle(host.lives, tellTracee(host, new Random(7)));
      const times = timesAround(host);
      const wrong: unknown[] = [];
      for (const life of host.lives) {
        const end = { at: life.exit, code: life.code, signal: life.signal };
        if (JSON.stringify(oracle.endOf(life)) !== JSON.stringify(end)) wrong.push({ life, end: oracle.endOf(life) });
        for (const time of times) {
          if (time < life.start) continue;
          for (const field of ['comm', 'executable', 'argv', 'cwd', 'interpreter', 'interp', 'uid', 'gid'] as const) {
            if (oracle.valueAt(life, field, time) !== trueValue(life, field, time)) wrong.push({ life, field, time });
          }
          if (life.leader === life && oracle.parentAt(life, time) !== trueParent(life, time))
            wrong.push({ life, time });
        }
      }
      expect(wrong).toEqual([]);
    }
  });
});

/** A life with nothing to it but what is given. */
function life(tid: number, start: number, more: Partial<Life> = {}): Life {
  const whole = {
    tid,
    start,
    creator: undefined,
    isSibling: false,
    nsTid: tid,
    nsPid: tid,
    pidNs: 1,
    exit: Number.POSITIVE_INFINITY,
    code: undefined,
    signal: undefined,
    changes: [],
    execs: [],
    left: [],
    parents: [],
    ...more,
  } as unknown as Life & { leader: Life };
  whole.leader ??= whole;
  return whole;
}

describe('the oracle', () => {
  const init = life(1, 0);
  const oracleOf = (lives: readonly Life[], says: readonly Statement[]) =>
    new Oracle([init, ...lives], [{ event: { type: 'clock', epochNs: 0n }, says, step: 0, line: 0 }]);
  const about = (of: Life, field: 'comm' | 'cwd' | 'uid' | 'argv' | 'executable' | 'nsTid', value: string | number) => {
    const at = (how: 'said' | 'seen' | 'concluded') => (at: number) =>
      ({ life: of, at, how, field, value }) as Statement;
    return { said: at('said'), seen: at('seen'), concluded: at('concluded') };
  };
  const parent = (of: Life, how: 'said' | 'seen', at: number, value: Life): Statement => ({
    life: of,
    at,
    how,
    field: 'parent',
    value,
  });

  test('[AS3] [AS4] [AS9] own, else of the process, else of the creator at the birth; after the end as at the end', () => {
    const child = life(2, 20, { creator: init, exit: 50 });
    const thread = life(3, 30, { leader: child, creator: child });
    const oracle = oracleOf(
      [child, thread],
      [
        about(init, 'cwd', '/').said(0),
        about(init, 'cwd', '/later').said(25),
        about(child, 'comm', 'a').said(20),
        about(child, 'comm', 'b').said(40),
        about(child, 'cwd', '/own').said(40),
        about(child, 'cwd', '/never').said(60),
      ],
    );
    expect([20, 39, 40, 60].map((at) => oracle.valueAt(child, 'cwd', at))).toEqual(['/', '/', '/own', '/own']);
    expect([30, 40].map((at) => oracle.valueAt(thread, 'cwd', at))).toEqual(['/', '/own']);
    expect([30, 40].map((at) => oracle.valueAt(thread, 'comm', at))).toEqual(['a', 'a']);
  });

  test('[OB2] a sighting goes back to the beginning of the image where nothing is known, and no further', () => {
    const child = life(2, 20, { creator: init, execs: [40] });
    const grandchild = life(3, 30, { creator: child });
    const seen = [about(child, 'uid', 7).seen(35), about(child, 'uid', 8).seen(60)];
    const unknown = oracleOf([child, grandchild], seen);
    expect([20, 34, 39, 40, 59, 60].map((at) => unknown.valueAt(child, 'uid', at))).toEqual([7, 7, 7, 7, 7, 8]);
    expect(unknown.valueAt(grandchild, 'uid', 70)).toBe(7);
    const known = oracleOf([child], [about(init, 'uid', 0).said(0), ...seen]);
    expect([20, 34, 35, 40].map((at) => known.valueAt(child, 'uid', at))).toEqual([0, 0, 7, 7]);
    const said = oracleOf([child], [...seen, about(child, 'uid', 5).said(50)]);
    expect([20, 40, 49, 50, 60].map((at) => said.valueAt(child, 'uid', at))).toEqual([7, 7, 7, 5, 8]);
    // After an exec before what is inherited, and of the program before all that was.
    const inherited = oracleOf([child], [about(init, 'uid', 0).said(0), about(child, 'uid', 8).seen(60)]);
    expect([39, 40].map((at) => inherited.valueAt(child, 'uid', at))).toEqual([0, 8]);
    const programs = oracleOf([child], [about(child, 'argv', 'a').seen(35), about(child, 'argv', 'b').seen(60)]);
    expect([20, 39, 40].map((at) => programs.valueAt(child, 'argv', at))).toEqual(['a', 'a', 'b']);
    expect(oracleOf([child], [about(child, 'uid', 5).said(30)]).valueAt(child, 'uid', 29)).toBeUndefined();
  });

  test('[OB3] what is seen of the dead says nothing', () => {
    const child = life(2, 20, { creator: init, exit: 30 });
    const oracle = oracleOf([child], [about(child, 'uid', 7).seen(31), about(child, 'nsTid', 2).seen(31)]);
    expect([oracle.valueAt(child, 'uid', 25), oracle.valueAt(child, 'nsTid', 25)]).toEqual([undefined, undefined]);
  });

  test('[NS1] ids in a namespace hold for the whole life, and are not inherited', () => {
    const child = life(2, 20, { creator: init });
    const oracle = oracleOf([child], [about(init, 'nsTid', 1).said(0), about(child, 'nsTid', 5).seen(90)]);
    expect([20, 99].map((at) => oracle.valueAt(child, 'nsTid', at))).toEqual([5, 5]);
    expect(oracleOf([child], [about(init, 'nsTid', 1).said(0)]).valueAt(child, 'nsTid', 30)).toBeUndefined();
  });

  test('[EX2] [EX4] an exec ends what was known of the image, and its file name holds until the program is seen', () => {
    const child = life(2, 20, { creator: init, execs: [40] });
    const says = [
      about(init, 'argv', 'init').said(0),
      about(init, 'cwd', '/').said(0),
      about(child, 'executable', './x').concluded(40),
    ];
    const oracle = oracleOf([child], says);
    expect([39, 40].map((at) => oracle.valueAt(child, 'argv', at))).toEqual(['init', undefined]);
    expect([39, 40].map((at) => oracle.valueAt(child, 'cwd', at))).toEqual(['/', '/']);
    expect([39, 40].map((at) => oracle.valueAt(child, 'executable', at))).toEqual([undefined, './x']);
    const seen = oracleOf([child], [...says, about(child, 'executable', '/bin/x').seen(70)]);
    expect([39, 40, 70].map((at) => seen.valueAt(child, 'executable', at))).toEqual([undefined, '/bin/x', '/bin/x']);
  });

  test('[EX2] the name that the kernel gives shortly before an exec is that of the new image', () => {
    const child = life(2, 20, { creator: init, execs: [40 * MS] });
    const says = [about(child, 'comm', 'old').said(20), about(child, 'comm', 'new').said(39 * MS)];
    const oracle = oracleOf([child], [...says, about(child, 'comm', 'newer').seen(60 * MS)]);
    expect([38, 39, 40, 60].map((at) => oracle.valueAt(child, 'comm', at * MS))).toEqual([
      'old',
      'new',
      'new',
      'newer',
    ]);
  });

  test('[FO1] [FO2] [PA1] [PA2] [PA3] parents: of the birth, init after their end, until somebody says or sees who', () => {
    const reaper = life(2, 5, { creator: init });
    const father = life(3, 10, { creator: reaper, exit: 30 });
    const child = life(4, 20, { creator: father });
    const sibling = life(5, 21, { creator: child, isSibling: true });
    const lives = [reaper, father, child, sibling];
    const parents = (says: readonly Statement[], of = child) =>
      [19, 20, 29, 30, 50].map((at) => oracleOf(lives, says).parentAt(of, at)?.tid);
    expect(parents([])).toEqual([undefined, 3, 3, 1, 1]);
    expect(parents([], sibling)).toEqual([undefined, undefined, 3, 1, 1]);
    expect(parents([parent(child, 'seen', 40, reaper)])).toEqual([undefined, 3, 3, 2, 2]);
    expect(parents([parent(child, 'said', 40, reaper)])).toEqual([undefined, 3, 3, 1, 2]);
    const changed = [parent(child, 'seen', 25, father), parent(child, 'seen', 28, reaper)];
    expect(parents(changed)).toEqual([undefined, 3, 2, 2, 2]);
    // Settled once, it holds.
    const twice = [parent(child, 'seen', 40, init), parent(child, 'seen', 45, reaper)];
    expect(parents(twice)).toEqual([undefined, 3, 3, 1, 2]);
  });

  test('[AS7] [LI1] children and lineage follow from the parents', () => {
    const father = life(2, 10, { creator: init, exit: 30 });
    const child = life(3, 20, { creator: father });
    const oracle = oracleOf([father, child], []);
    expect([20, 30].map((at) => oracle.childrenAt(father, at).map(({ tid }) => tid))).toEqual([[3], []]);
    expect(oracle.childrenAt(init, 30)).toEqual([father, child]);
    expect(oracle.lineageAt(child, 99).map(({ life: of, at }) => [of.tid, at])).toEqual([
      [3, 99],
      [2, 20],
      [1, 10],
    ]);
  });

  test('[EN3] [FA5] a process has the status of the first that was the last of all, as far as somebody told one', () => {
    const process = life(2, 10, { creator: init, exit: 30 });
    const thread = life(3, 20, { leader: process, creator: process, exit: 31 });
    const end = (of: Life, at: number, isLast: boolean, code?: number): Statement => {
      const status = code === undefined ? undefined : { code, signal: undefined };
      return { life: of, at, how: 'said', field: 'end', isLast, status };
    };
    const codeOf = (of: Life, says: readonly Statement[]) => oracleOf([process, thread], says).endOf(of).code;
    expect(codeOf(process, [end(thread, 31, true, 8), end(process, 30, true, 7)])).toBe(7);
    expect(codeOf(process, [end(thread, 31, true, 8), end(process, 25, false, 7)])).toBe(8);
    expect(codeOf(process, [end(thread, 31, true, 8), end(process, 30, true)])).toBe(8);
    expect(codeOf(thread, [end(thread, 31, true, 8), end(process, 30, true, 7)])).toBe(8);
  });
});

describe('the dialects', () => {
  test('tell in passing what the decoder of Tracee tells in passing, and when', () => {
    const decoded: TaskEvent[] = [];
    const decoder = new TraceeDecoder((event) => decoded.push(event));
    decoder.pushAll(readFileSync(join(import.meta.dirname, '../vectors/tracee/legacy-threads.ndjson')));
    const long = fc.sample(steps(), { numRuns: 20, seed: 3 }).flat();
    const told = tellTracee(new LawfulHost().run(long), new Random(7)).map(({ event }) => event);
    for (const events of [decoded, told.slice(1)]) {
      const passing = events.flatMap((event) => (event.type === 'observe' ? [event] : []));
      expect(new Set(passing.map(({ authority }) => authority))).toEqual(new Set([IN_PASSING]));
      expect(passing.filter(({ startIsTick }) => startIsTick)).toEqual([]);
      // Of an exec it comes after, of all else before.
      const apart = events.filter((event, place) => {
        if (!['fork', 'exec', 'exit', 'rename'].includes(event.type)) return false;
        const beside = events[place + (event.type === 'exec' ? 1 : -1)];
        return beside?.type !== 'observe' || !('at' in event) || beside.at !== event.at;
      });
      expect(apart).toEqual([]);
    }
    const keys = (events: readonly TaskEvent[], type: TaskEvent['type']) =>
      Object.keys(events.find((event) => event.type === type) ?? {}).sort();
    for (const type of ['observe', 'exec', 'exit', 'rename'] as const) {
      expect(keys(told.slice(1), type)).toEqual(keys(decoded, type));
    }
    expect(keys(told, 'fork').filter((key) => key !== 'cloneFlags')).toEqual(keys(decoded, 'fork'));
  });

  test('the kernel tells no starts, no users and no codes; /proc tells ticks', () => {
    const [list] = fc.sample(steps({ weights: { look: 6 } }), { numRuns: 1, seed: 3 });
    const host = new LawfulHost().run(list!);
    for (const { event } of tellTracefs(host)) {
      expect(Object.keys(event)).not.toContain('start');
      expect(Object.keys(event)).not.toContain('uid');
      expect(Object.keys(event)).not.toContain('code');
    }
    for (const { event } of tellProcfs(host, new Random(7))) {
      expect(event).toMatchObject({ type: 'observe', startIsTick: true });
      expect((event as { start: number }).start % (10 * MS)).toBe(0);
    }
  });
});
