import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { historyQuery } from './history-query.ts';
import { parseQuery } from './parse-query.ts';

const BASE = { epochNs: 1_700_000_000_000_000_000n };
const AT = 600e9 as EventNs;
const epoch = (seconds: number) => String(BASE.epochNs + BigInt(seconds * 1e9));

function asked(text: string) {
  const parsed = parseQuery(text);
  if (parsed.kind === 'problem') throw new Error(parsed.problem.message);
  return historyQuery(parsed.query, { base: BASE, at: AT, users: { 0: 'root', 1000: 'deploy' } });
}

test.each([
  ['', []],
  ['curl', [['q', 'curl']]],
  [
    'curl "a b" 42',
    [
      ['q', 'curl'],
      ['q', 'a b'],
      ['q', '42'],
    ],
  ],
  [
    'name:ssh cmd:-D exe:/usr container:4f1c',
    [
      ['comm', 'ssh'],
      ['commandLine', '-D'],
      ['path', '/usr'],
      ['container', '4f1c'],
    ],
  ],
  [
    'pid:42 ppid:1 uid:1000',
    [
      ['pid', '42'],
      ['parentPid', '1'],
      ['uid', '1000'],
    ],
  ],
  ['user:deploy', [['uid', '1000']]],
  ['user:7', [['uid', '7']]],
  ['exit:3', [['exitCode', '3']]],
  ['exit:SIGKILL', [['signal', '9']]],
  ['state:all', []],
  ['state:exited', [['endedAfter', '1970-01-01T00:00:00Z']]],
  ['started:>-5m', [['startedAfter', epoch(300)]]],
  [
    'started:-5m..-1m',
    [
      ['startedAfter', epoch(300)],
      ['startedBefore', epoch(540)],
    ],
  ],
  ['born:<5m', [['startedAfter', epoch(300)]]],
  [
    'born:1m..5m',
    [
      ['startedAfter', epoch(300)],
      ['startedBefore', epoch(540)],
    ],
  ],
])('%s is asked as it is', (text, params) => {
  expect(asked(text)).toMatchObject({ params, unknown: [] });
});

test.each([
  ['curl !ssh', ['!ssh'], 'curl'],
  ['curl | ssh', ['curl | ssh'], ''],
  ['curl (a | b)', ['a | b'], 'curl'],
  ['/cu.l/ x', ['/cu.l/'], 'x'],
  ['name:=sshd', ['name:=sshd'], ''],
  ['name:a name:b', ['name:b'], 'name:a'],
  ['user:root|deploy', ['user:root|deploy'], ''],
  ['user:nobody-knows x', ['user:nobody-knows'], 'x'],
  ['pid:1..5', ['pid:1..5'], ''],
  ['exit:!=0 x', ['exit:!=0'], 'x'],
  ['exit:137', ['exit:137'], ''],
  ['euid:root under:1 above:2 age:>1m tid:3 x', ['euid:root', 'under:1', 'above:2', 'age:>1m', 'tid:3'], 'x'],
  ['state:running', ['state:running'], ''],
])('what of %s cannot be asked is named', (text, unknown, rest) => {
  expect(asked(text)).toMatchObject({ unknown, rest });
});
