import { readFileSync } from 'node:fs';
import { epochMsOf } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ClockReadings, HostClock } from './host-clock.ts';

const DAY_NS = 86_400_000_000_000n;

/** A host whose clocks advance by 20 us with each reading. */
class FakeHost implements ClockReadings {
  ns = 5_000_123_456_789n;
  suspendedNs = 0n;
  wallOffsetMs = 1_700_000_000_000;
  hasUptime = true;
  timeNamespaceNs = 0n;

  monotonicNs(): bigint {
    this.ns += 20_000n;
    return this.ns;
  }

  wallMs(): number {
    return this.wallOffsetMs + Number((this.ns + this.suspendedNs) / 1_000_000n);
  }

  uptimeTicks(): bigint | undefined {
    this.ns += 20_000n;
    return this.hasUptime ? (this.ns + this.suspendedNs + this.timeNamespaceNs) / 10_000_000n : undefined;
  }

  namespaceBootNs(): bigint {
    return this.timeNamespaceNs;
  }
}

function at(clock: HostClock, bootNs: bigint): number {
  return clock.fromBootNs(Number(bootNs >> 32n), Number(bootNs & 0xffff_ffffn));
}

test('a boot time becomes event time to the nanosecond, also after years of uptime', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10_000n * DAY_NS }),
      fc.bigInt({ min: -100n * DAY_NS, max: 100n * DAY_NS }),
      (base, distance) => {
        fc.pre(base + distance >= 0n);
        expect(BigInt(at(new HostClock(0n, base), base + distance))).toBe(distance);
      },
    ),
  );
});

test('a start tick becomes event time to the nanosecond, also after years of uptime', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10_000n * DAY_NS }),
      fc.integer({ min: 0, max: 100_000_000 }),
      (base, back) => {
        const tick = Number(base / 10_000_000n) - back;
        fc.pre(tick >= 0);
        expect(BigInt(new HostClock(0n, base).fromStartTicks(tick))).toBe(BigInt(tick) * 10_000_000n - base);
      },
    ),
  );
});

test('on this host event time 0 is now, by the wall clock and by the boot clock', () => {
  const clock = HostClock.read();
  const uptimeS = Number(/^\S+/.exec(readFileSync('/proc/uptime', 'utf8'))?.[0]);
  const now = clock.now();

  expect(now).toBeGreaterThan(0);
  expect(Math.abs(epochMsOf(clock.base, now) - Date.now())).toBeLessThan(50);
  expect(Math.abs(clock.fromStartTicks(Math.round(uptimeS * 100)) - now)).toBeLessThan(100e6);
});

test('on this host the start time that /proc tells of this process is when it began', () => {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const clock = HostClock.read();
  const began = clock.fromStartTicks(ticks);
  const beganByNode = performance.timeOrigin;

  expect(Math.abs(epochMsOf(clock.base, began) - beganByNode)).toBeLessThan(1000);
});

test('time spent suspended is found in the uptime', () => {
  const host = new FakeHost();
  host.suspendedNs = 3_600_000_000_000n;
  const clock = HostClock.read(host);
  const bootNow = host.ns + host.suspendedNs;

  expect(Math.abs(at(clock, bootNow) - clock.now())).toBeLessThan(200_000);
});

test('a suspend while running is noticed', () => {
  const host = new FakeHost();
  const clock = HostClock.read(host);
  host.suspendedNs = 60_000_000_000n;
  const now = clock.now();

  expect(Math.abs(at(clock, host.ns + host.suspendedNs) - now)).toBeLessThan(200_000);
});

test('setting the wall clock does not move event time', () => {
  const host = new FakeHost();
  const clock = HostClock.read(host);
  const before = clock.now();
  host.wallOffsetMs += 3_600_000;
  const after = clock.now();

  expect(after).toBeGreaterThan(before);
  expect(after - before).toBeLessThan(50_000_000);
});

test('clocks that differ by the time of the calls only are one clock', () => {
  const host = new FakeHost();
  const clock = HostClock.read(host);
  const { ns } = host;

  expect(clock.now()).toBe(at(clock, ns + 40_000n));
});

test('without an uptime the monotonic clock serves as the boot clock', () => {
  const host = new FakeHost();
  host.hasUptime = false;
  const clock = HostClock.read(host);
  const { ns } = host;

  expect(clock.now()).toBe(at(clock, ns + 40_000n));
});

test('in a time namespace ticks of /proc are shifted and kernel events are not', () => {
  const base = 5_000_000_000_000n;
  const host = new FakeHost();
  host.timeNamespaceNs = 1_000_000_000_000n;
  const clock = new HostClock(0n, base, host);

  expect(at(clock, base + 10_000_000n)).toBe(10_000_000);
  expect(clock.fromStartTicks(600_001)).toBe(10_000_000);
});

test('a monotonic time becomes event time to the nanosecond, less what was spent suspended', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10_000n * DAY_NS }),
      fc.bigInt({ min: -100n * DAY_NS, max: 100n * DAY_NS }),
      fc.bigInt({ min: 0n, max: 5_000n * DAY_NS }),
      fc.bigInt({ min: -10n * DAY_NS, max: 10n * DAY_NS }),
      (base, distance, suspended, namespaceNs) => {
        const monotonic = base + distance - suspended - namespaceNs;
        fc.pre(monotonic >= 0n);
        const host = new FakeHost();
        const clock = new HostClock(
          0n,
          base,
          {
            monotonicNs: () => host.monotonicNs(),
            wallMs: () => host.wallMs(),
            uptimeTicks: () => undefined,
            namespaceBootNs: () => 0n,
            namespaceMonotonicNs: () => namespaceNs,
          },
          suspended,
        );
        const [high, low] = [Number(monotonic >> 32n), Number(monotonic & 0xffff_ffffn)];
        expect(BigInt(clock.fromMonotonicNs(high, low))).toBe(distance);
      },
    ),
  );
});

test('after the host was suspended monotonic times move along with boot times', () => {
  const host = new FakeHost();
  const clock = HostClock.read(host);
  const moment = () => clock.fromMonotonicNs(Number(host.ns >> 32n), Number(host.ns & 0xffff_ffffn));
  const before = moment();
  expect(clock.monotonicErrorNs).toBeLessThan(100_000);
  host.suspendedNs += 60_000_000_000n;
  clock.now();
  expect(moment() - before).toBeGreaterThan(59.9e9);
  expect(moment() - before).toBeLessThan(60.1e9);
  expect(clock.monotonicErrorNs).toBeGreaterThan(100_000);
});

test('a wall clock that was set is told from one that went on through a suspension', () => {
  const host = new FakeHost();
  const clock = HostClock.read(host);
  expect(clock.wallShiftMs()).toBeCloseTo(0, -1);
  host.suspendedNs += 3_600_000_000_000n;
  clock.now();
  expect(clock.wallShiftMs()).toBeCloseTo(0, -1);
  host.wallOffsetMs -= 7000;
  const before = clock.now();
  expect(clock.wallShiftMs()).toBeCloseTo(-7000, -1);
  expect(clock.now() - before).toBeLessThan(100_000_000);
});
