import { expect, test } from 'vitest';
import { findTracefs, parseMountinfo } from './mount.ts';

const MOUNTINFO = `24 29 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw
31 24 0:12 / /sys/kernel/tracing rw,nosuid,nodev shared:8 - tracefs tracefs rw
32 24 0:7 / /sys/kernel/debug rw,nosuid shared:9 master:3 - debugfs debugfs rw
33 29 0:40 /sub /mnt/with\\040blank\\134x rw - tracefs nodev rw
not a mount
`;

test('mounts are read with their path and kind, also where the path has blanks', () => {
  expect(parseMountinfo(MOUNTINFO)).toEqual([
    { path: '/sys', type: 'sysfs' },
    { path: '/sys/kernel/tracing', type: 'tracefs' },
    { path: '/sys/kernel/debug', type: 'debugfs' },
    { path: '/mnt/with blank\\x', type: 'tracefs' },
  ]);
});

test('tracefs is taken at its usual place, else wherever it is, else it is missing', () => {
  const mounts = parseMountinfo(MOUNTINFO);

  expect(findTracefs(mounts)).toBe('/sys/kernel/tracing');
  expect(findTracefs(mounts.filter(({ path }) => path !== '/sys/kernel/tracing'))).toBe('/mnt/with blank\\x');
  expect(findTracefs([{ path: '/sys', type: 'sysfs' }])).toBeUndefined();
  expect(findTracefs([{ path: '/nonexistent/debug', type: 'debugfs' }])).toBeUndefined();
});
