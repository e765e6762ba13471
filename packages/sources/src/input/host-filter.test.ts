import { expect, test } from 'vitest';
import { HostFilter } from './host-filter.ts';

test('the first host is taken, or the one that was asked for, and what names none', () => {
  const first = new HostFilter();
  expect(['n1', 'n2', undefined, 'n1'].map((name) => first.takes(name))).toEqual([true, false, true, true]);
  expect(first.name).toBe('n1');
  const wanted = new HostFilter('n2');
  expect(['n1', 'n2', ''].map((name) => wanted.takes(name))).toEqual([false, true, true]);
  expect(wanted.name).toBe('n2');
  expect(wanted.notices.join(' ')).toMatch(/others are rejected as other-host.*1 events do not say which host/);
});

test('ever new and hostile names take bounded memory and reach no terminal as they are', () => {
  const hosts = new HostFilter();
  hosts.takes('n1');
  for (let i = 0; i < 5000; i++) expect(hosts.takes(`\u001b[2J${i}`)).toBe(false);
  expect(hosts.takes('x'.repeat(1_000_000))).toBe(false);
  expect(hosts.notices[0]).toMatch(/at least 1001 hosts/);
  expect(hosts.notices[0]).toMatch(/^[\x20-\x7e]{1,1000}$/);
});
