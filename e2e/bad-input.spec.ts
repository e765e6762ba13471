// A hostile NDJSON feed: what is bad is counted by reason and shown, what is
// good is kept.

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const START = 1_700_000_000_000_000_000n;

/** A `sched_process_fork` of Tracee's legacy dialect: pid 10 forks `pid`. */
function fork(pid: number, more: object = {}): string {
  const at = START + BigInt(pid) * 1_000_000n;
  const line = JSON.stringify({
    timestamp: '@',
    threadStartTime: '@s',
    processId: 10,
    threadId: 10,
    parentProcessId: 1,
    hostProcessId: 10,
    hostThreadId: 10,
    hostParentProcessId: 1,
    userId: 0,
    processName: 'forker',
    hostName: 'recorded',
    eventId: '1001',
    eventName: 'sched_process_fork',
    returnValue: 0,
    args: [
      { name: 'parent_tid', type: 'int', value: 10 },
      { name: 'parent_ns_tid', type: 'int', value: 10 },
      { name: 'parent_pid', type: 'int', value: 10 },
      { name: 'parent_ns_pid', type: 'int', value: 10 },
      { name: 'parent_start_time', type: 'unsigned long', value: '@s' },
      { name: 'child_tid', type: 'int', value: pid },
      { name: 'child_ns_tid', type: 'int', value: pid },
      { name: 'child_pid', type: 'int', value: pid },
      { name: 'child_ns_pid', type: 'int', value: pid },
      { name: 'start_time', type: 'unsigned long', value: '@' },
    ],
    ...more,
  });
  // 64-bit numbers stand bare in this dialect.
  return line.replaceAll('"@s"', String(START)).replaceAll('"@"', String(at));
}

test('a garbage line, a truncated one, one of 100 MB, an unknown event and wrong types are counted, nothing else is lost', async ({
  page,
}) => {
  test.setTimeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'dendro-bad-'));
  const file = join(folder, 'events.ndjson');
  const out = createWriteStream(file);
  const good = [100, 101, 102, 103, 104, 105];
  out.write(`${fork(100)}\n`);
  out.write('\u0000\u0001 this is not JSON {{{\n');
  out.write(`${fork(101)}\n`);
  out.write(`${fork(999).slice(0, 200)}\n`);
  out.write(`${fork(102)}\n`);
  for (let i = 0; i < 100; i++) out.write('{"x":"'.padEnd(1024 * 1024, 'a'));
  out.write(`"}\n${fork(103)}\n`);
  out.write(`${fork(998, { eventName: 'made_up_by_nobody', eventId: '99999' })}\n${fork(104)}\n`);
  out.write(`${fork(997, { hostThreadId: 'ten', args: 'none' })}\n${fork(105)}\n`);
  out.end();
  await finished(out);

  const dendro = await Dendro.start({ args: ['--port', '0', '--source', `tracee:${file}`] });
  try {
    await TreePage.keepApart(page);
    const tree = await TreePage.open(page, dendro);
    for (const pid of good) await expect(tree.row(pid)).toBeVisible();
    for (const pid of [997, 998, 999]) await expect(tree.row(pid)).toHaveCount(0);

    const rejected = page.getByTestId('rejected');
    await expect(rejected).toBeVisible();
    await rejected.click();
    for (const [reason, times] of [
      ['not-json', 2],
      ['line-too-long', 1],
      ['not-a-lifecycle-event', 1],
      ['wrong-type', 1],
    ]) {
      await expect(page.getByRole('row', { name: `${reason} ${times}`, exact: true })).toBeVisible();
    }
    await expect(rejected).toHaveText('5 rejected');
    expect(dendro.residentMiB).toBeLessThan(300);
  } finally {
    await dendro.stop();
    rmSync(folder, { recursive: true });
  }
});
