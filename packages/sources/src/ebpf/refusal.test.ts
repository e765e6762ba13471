// Why eBPF cannot be had: each reason has a sentence of its own that says what
// to do. First what is concluded from what is found, then this machine itself.

import { spawnSync } from 'node:child_process';
import { DendroError } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import type { FailedFrame } from './frames.ts';
import { type EbpfSurroundings, ensureEbpf, refusalOf, whyNot } from './refusal.ts';
import { whyNoEbpf } from './test-host.ts';

const CAP = { sysAdmin: 1n << 21n, perfmon: 1n << 38n, bpf: 1n << 39n };
const statusWith = (capabilities: bigint) =>
  `Name:\tnode\nCapPrm:\t0\nCapEff:\t${capabilities.toString(16).padStart(16, '0')}\nCapBnd:\tffff\n`;
const GOOD: EbpfSurroundings = {
  kernel: '6.1.0-25-amd64',
  hasBtf: true,
  status: statusWith(CAP.bpf | CAP.perfmon),
  uidMap: '         0          0 4294967295\n',
  lockdown: 'none [integrity] confidentiality\n',
  arch: 'x64',
  otherPids: undefined,
};

describe('what is around is enough', () => {
  test.each([
    ['with CAP_BPF and CAP_PERFMON', {}],
    ['with CAP_SYS_ADMIN alone', { status: statusWith(CAP.sysAdmin) }],
    ['with all capabilities', { status: statusWith((1n << 41n) - 1n) }],
    ['on the oldest kernel', { kernel: '5.8.0' }],
    ['on a kernel of two digits', { kernel: '10.0.1' }],
    ['on ARM', { arch: 'arm64' }],
    ['without a lockdown file', { lockdown: undefined }],
    ['locked down to integrity', { lockdown: 'none [integrity] confidentiality' }],
    ['not locked down', { lockdown: '[none] integrity confidentiality' }],
  ])('%s', (_, changed) => {
    expect(whyNot({ ...GOOD, ...changed })).toBeUndefined();
  });
});

const MISSING: readonly (readonly [what: string, changed: Partial<EbpfSurroundings>, clause: RegExp])[] = [
  ['no BTF', { hasBtf: false }, /\/sys\/kernel\/btf\/vmlinux.*CONFIG_DEBUG_INFO_BTF/],
  ['no capability', { status: statusWith(0n) }, /lacks CAP_BPF and CAP_PERFMON; start dendro with sudo/],
  ['CAP_BPF only', { status: statusWith(CAP.bpf) }, /lacks CAP_PERFMON;/],
  ['CAP_PERFMON only', { status: statusWith(CAP.perfmon) }, /lacks CAP_BPF;/],
  [
    'root of a user namespace',
    { uidMap: '0 1000 1', status: statusWith((1n << 41n) - 1n) },
    /user namespace.*outside of it/,
  ],
  [
    'locked down to confidentiality',
    { lockdown: 'none integrity [confidentiality]' },
    /locked down to confidentiality/,
  ],
  ['in a container', { otherPids: 'other pids' }, /other pids/],
  ['an old kernel', { kernel: '5.4.0-150-generic' }, /needs Linux 5\.8, and this is 5\.4\.0-150-generic/],
  ['a very old kernel', { kernel: '4.19.0' }, /this is 4\.19\.0/],
  ['another machine', { arch: 's390x big-endian' }, /64-bit x86 and ARM, and this is s390x big-endian/],
];

test.each(MISSING)('missing: %s', (_, changed, clause) => {
  const why = whyNot({ ...GOOD, ...changed });
  expect(why).toMatch(clause);
  expect(() => ensureEbpf({ ...GOOD, ...changed })).toThrow(DendroError);
  expect(() => ensureEbpf({ ...GOOD, ...changed })).toThrow(`eBPF cannot be used: ${why}.`);
});

const REFUSED: readonly (readonly [what: string, frame: FailedFrame | undefined, sentence: RegExp])[] = [
  [
    'no libbpf',
    {
      step: 'library',
      errno: 0,
      message: 'Error: Failed to load shared library: cannot open shared object file: No such file or directory',
      log: '',
    },
    /libbpf\.so\.1 is not here; with it every program is seen .*: Debian and Ubuntu have it as the package libbpf1, Fedora as libbpf/,
  ],
  [
    'a libbpf for a newer system',
    {
      step: 'library',
      errno: 0,
      message: "Error: Failed to load shared library: /lib/libc.so.6: version `GLIBC_2.38' not found",
      log: '',
    },
    /built for a newer system than this \(.*GLIBC_2\.38/,
  ],
  [
    'a library that lacks what is called',
    { step: 'child', errno: 0, message: "Cannot find function 'bpf_object__open_mem' in shared library", log: '' },
    /Cannot find function 'bpf_object__open_mem'/,
  ],
  [
    'BTF that libbpf does not find',
    {
      step: 'load',
      errno: 3,
      message: 'load  failed with error 3',
      log: 'libbpf: failed to find valid kernel BTF\nlibbpf: Error loading vmlinux BTF: -3',
    },
    /Error loading vmlinux BTF: -3/,
  ],
  [
    'no right in spite of the capabilities',
    {
      step: 'load',
      errno: 1,
      message: 'load  failed with error 1',
      log: 'libbpf: Failed to bump RLIMIT_MEMLOCK (err = -1), you might need to do it explicitly!',
    },
    /does not allow it although the capabilities are there; a security module or a container/,
  ],
  [
    'the verifier',
    {
      step: 'load',
      errno: 13,
      message: 'load  failed with error 13',
      log: "libbpf: prog 'on_exec': BPF program load failed: Permission denied\nlibbpf: prog 'on_exec': -- BEGIN PROG LOAD LOG --",
    },
    /verifier refused a program \(prog 'on_exec': BPF program load failed: Permission denied\)/,
  ],
  [
    'a hook that is not there',
    { step: 'attach', errno: 2, message: 'attach on_rename failed with error 2', log: '' },
    /no such hook \(attach on_rename/,
  ],
  [
    'pages that cannot be mapped',
    { step: 'map', errno: 12, message: 'map  failed with error 12', log: '' },
    /map {2}failed with error 12/,
  ],
  ['a child that ended without a word', undefined, /the process that loads it gave up: it was ended by SIGKILL/],
];

test.each(REFUSED)('refused: %s', (_, frame, sentence) => {
  const error = refusalOf(frame, 'it was ended by SIGKILL');
  expect(error.code).toBe('DENDRO_SOURCE_UNAVAILABLE');
  expect(error.message).toMatch(sentence);
  expect(error.message).toMatch(/^eBPF cannot be used: [^\n]{1,400}\.$/);
  expect(error.message).not.toContain('RLIMIT_MEMLOCK');
});

test('no two reasons have the same sentence', () => {
  const sentences = [
    ...MISSING.map(([, changed]) => whyNot({ ...GOOD, ...changed })),
    ...REFUSED.map(([, frame]) => refusalOf(frame, '').message),
  ];
  expect(new Set(sentences).size).toBe(sentences.length);
});

test('a log without an end does not make a sentence without one', () => {
  const log = 'x'.repeat(100_000);
  for (const errno of [1, 3, 13]) {
    expect(refusalOf({ step: 'load', errno, message: 'no', log }, '').message.length).toBeLessThan(500);
  }
});

const isRoot = process.geteuid?.() === 0;
const here = isRoot ? await whyNoEbpf() : 'Only root may trace.';
const SCRIPT = `
  const { EbpfSource } = await import(${JSON.stringify(new URL('./ebpf-source.ts', import.meta.url).href)});
  const source = new EbpfSource();
  try {
    await source.start(() => {});
    console.log('it runs');
    await source.stop();
  } catch (error) {
    console.log(error.code, error.message);
  }
  process.exit(0);`;
const asNobodySpecial = ['--reuid', '1000', '--regid', '1000', '--clear-groups'];
const andMay = (...names: readonly string[]) => {
  const list = names.map((name) => `+${name}`).join();
  return ['--inh-caps', list, '--ambient-caps', list];
};
const READ_ANYTHING = 'dac_read_search'; // node and this file are in somebody's folder
const OTHERS: readonly (readonly [who: string, tool: string, args: readonly string[], answer: RegExp])[] = [
  [
    'user 1000',
    'setpriv',
    [...asNobodySpecial, ...andMay(READ_ANYTHING)],
    /lacks CAP_BPF and CAP_PERFMON; start dendro with sudo/,
  ],
  ['user 1000 with CAP_BPF', 'setpriv', [...asNobodySpecial, ...andMay(READ_ANYTHING, 'bpf')], /lacks CAP_PERFMON;/],
  [
    'user 1000 with CAP_PERFMON',
    'setpriv',
    [...asNobodySpecial, ...andMay(READ_ANYTHING, 'perfmon')],
    /lacks CAP_BPF;/,
  ],
  ['user 1000 with both', 'setpriv', [...asNobodySpecial, ...andMay(READ_ANYTHING, 'bpf', 'perfmon')], /it runs/],
  ['root without CAP_BPF', 'setpriv', ['--bounding-set', '-sys_admin,-bpf'], /lacks CAP_BPF;/],
  ['root without CAP_SYS_ADMIN', 'setpriv', ['--bounding-set', '-sys_admin'], /it runs/],
  [
    'root of a user namespace',
    'unshare',
    ['--user', '--map-root-user'],
    /DENDRO_SOURCE_UNAVAILABLE.*root of a user namespace/,
  ],
];

describe.skipIf(here !== undefined)(`on this machine${here === undefined ? '' : ` (${here})`}`, () => {
  test.each(OTHERS)('%s', (_, tool, args, answer) => {
    const node = [process.execPath, '--input-type=module', '-e', SCRIPT];
    const { stdout, stderr, error } = spawnSync(tool, [...args, ...node], { encoding: 'utf8' });
    expect(error).toBeUndefined();
    expect(stdout, stderr).toMatch(answer);
  });
});
