// The tree against an oracle that keeps every statement and searches them all,
// whatever order and however many sources the events come in.
//
// `pnpm test:nightly` asks for 10,000 streams that nobody has tried; DENDRO_SEED
// repeats a seed that failed, DENDRO_SHRINK=1 looks for the least stream that
// fails. A stream that failed is kept by name in once-failed.test.ts.

import { ProcessTreeDataSource, type RelatedTask } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LawfulHost, type LawfulHostOptions, MS, type Step } from './lawful-host.ts';
import { differences, type Tolerance, timesAround } from './lawful-host-compare.ts';
import { late, type ProcfsDialect, type Told, tellProcfs, tellTracee, tellTracefs } from './lawful-host-dialects.ts';
import { Oracle } from './lawful-host-oracle.ts';
import {
  dealt,
  dealtBySteps,
  interleaved,
  RUNS,
  seed,
  shuffledAndRepeated,
  steps,
  treeOf,
} from './lawful-host-steps.ts';
import { Random } from './workload.ts';

/** Looked at in /proc now and then. */
const WATCHED = { look: 8 };
/** Folders, users and groups change, and nobody says so. */
const UNTOLD = { look: 12, chdir: 3, setuid: 3, setgid: 3, scan: 1 };
/** Everything that changes is told by the kernel's trace events. */
const TOLD = { look: 12, chdir: 0, setuid: 0, setgid: 0, scan: 1 };
/** Those who do not agree on who was the last of its group tell the ends of threads together at one instant. */
const AGREED: LawfulHostOptions = { spreadNs: 0 };
/** By its tick alone a sighting fits one life of its tid. */
const APART: LawfulHostOptions = { maxPid: 30, reuseNs: 20 * MS };

interface Telling extends Tolerance {
  /** Everything that is told, in the order in which it is heard. */
  readonly told: readonly Told[];
}

/** The tree knows of every task, at every instant, what the oracle knows. */
function check(
  stream: fc.Arbitrary<Step[]>,
  options: LawfulHostOptions,
  tell: (host: LawfulHost, random: Random) => Telling,
): void {
  fc.assert(
    fc.property(stream, seed, (list, number) => {
      const host = new LawfulHost(options).run(list);
      const { told, ...tolerance } = tell(host, new Random(number));
      const oracle = new Oracle(host.lives, told);
      expect(
        differences(treeOf(told.map(({ event }) => event)), oracle, timesAround(host, tolerance), tolerance),
      ).toEqual([]);
    }),
    RUNS,
  );
}

describe('a tracer that knows starts', () => {
  test('[FA1] [FO1] [EX1] [EX3] [EN1] [PA1] in order', () => {
    check(steps(), {}, (host, random) => ({ told: tellTracee(host, random) }));
  });

  test('[FA1] [ID3] [ID4] [ID6] [ID9] in any order, some of it twice', () => {
    check(steps(), {}, (host, random) => ({
      told: shuffledAndRepeated(tellTracee(host, random), random),
    }));
  });

  const silent: LawfulHostOptions = { ...AGREED, hasQuietExits: false };
  test('[EN3] in order, where the kernel does not say who was the last of its group', () => {
    check(steps(), silent, (host, random) => ({ told: tellTracee(host, random, { knowsGroups: false }) }));
  });

  test('[OB1] [OB2] [OB3] [ID2] beside sightings in /proc, all in any order and some of it twice', () => {
    check(steps({ weights: WATCHED }), APART, (host, random) => {
      // Init is seen in /proc, and in part: what it has of the rest is known once somebody sees it.
      const [, ...traced] = tellTracee(host, random);
      const told = [...traced, ...tellProcfs(host, random, { unreadable: 2 })];
      return { told: shuffledAndRepeated(told, random) };
    });
  });
});

describe('two sources', () => {
  test('[FA1] [FA5] [EX5] [ID8] that share what a tracer tells, the second some microseconds late', () => {
    check(steps(), {}, (host, random) => {
      const [a, b] = dealt(tellTracee(host, random), random);
      return { told: interleaved(a, late(b, random), random), hasSlack: true };
    });
  });

  test('[ID4] [EX2] [EX4] one that knows starts and one that does not, each telling all', () => {
    check(steps(), AGREED, (host, random) => {
      return { told: interleaved(tellTracee(host, random), tellTracefs(host), random) };
    });
  });

  test('[ID3] [ID4] or each telling a part, as long as no pid is given out again', () => {
    check(steps(), { ...AGREED, maxPid: 1000 }, (host, random) => {
      const [a, b] = dealtBySteps(tellTracee(host, random), tellTracefs(host), random);
      return { told: interleaved(a, b, random) };
    });
  });

  test('[FA5] [ID4] [ID8] or the one without starts some microseconds late', () => {
    check(steps(), AGREED, (host, random) => {
      // Without arguments nobody can say whether two execs are one [EX5].
      const execs = new Set(host.happenings.filter(({ what }) => what === 'exec').map(({ step }) => step));
      const b = late(tellTracefs(host), random, (step) => execs.has(step));
      return { told: interleaved(tellTracee(host, random), b, random), hasSlack: true };
    });
  });
});

describe('the kernel without starts, and sightings in /proc, in order', () => {
  const inOrder = (host: LawfulHost, random: Random, dialect: ProcfsDialect): Telling => {
    const timeOf = ({ event }: Told) => ('at' in event ? event.at : 0);
    const told = [...tellProcfs(host, random, dialect), ...tellTracefs(host)];
    return { told: told.sort((a, b) => timeOf(a) - timeOf(b)) };
  };

  test('[OB1] [OB2] [OB3] [OB4] [PA2] where all that changes is said', () => {
    check(steps({ weights: TOLD }), AGREED, (host, random) => inOrder(host, random, { unreadable: 2, scans: true }));
  });

  test('[OB2] [PA3] where some of it is only seen', () => {
    check(steps({ weights: UNTOLD }), AGREED, (host, random) => inOrder(host, random, { unreadable: 2, scans: true }));
  });
});

test('[AS2] [AS7] the data source tells living threads and children as they were', () => {
  fc.assert(
    fc.property(steps(), fc.nat(1000), (list, part) => {
      const host = new LawfulHost(AGREED).run(list);
      const told = tellTracee(host, new Random(7));
      const oracle = new Oracle(host.lives, told);
      const source = new ProcessTreeDataSource(treeOf(told.map(({ event }) => event)));
      const time = Math.floor((host.now * part) / 1000) as EventNs;
      const isAlive = ({ start, exit }: { start: number; exit: number }) => start <= time && time <= exit;
      const tids = (tasks: readonly (RelatedTask | { tid: number })[]) => tasks.map(({ tid }) => tid).sort();
      for (const life of host.lives) {
        // By its pid the last one that has begun is meant.
        const last = host.lives.findLast(({ tid, start }) => tid === life.tid && start <= time);
        if (life.leader !== life || last !== life) continue;
        const { info } = source.get({ kind: 'ProcKey', task: { pid: life.tid }, time }).process_info;
        expect([info.startTime, info.isAlive, info.ppid]).toEqual([
          life.start,
          isAlive(life),
          oracle.parentAt(life, time)?.tid ?? 0,
        ]);
        const threads = host.lives.filter((other) => other.leader === life && isAlive(other));
        expect(tids(info.threadIds)).toEqual(tids(threads));
        expect(tids(info.childProcessIds)).toEqual(tids(oracle.childrenAt(life, time).filter(isAlive)));
      }
    }),
    RUNS,
  );
});
