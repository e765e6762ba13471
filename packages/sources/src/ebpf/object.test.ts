// The object of the BPF programs that is kept in the repository: is it what its
// source says, and does all that it asks of a kernel have an answer in this one?

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { afterAll, expect, test } from 'vitest';
import { OBJECT_PATH } from './object.ts';
import { whyNoEbpf } from './test-host.ts';

/** With which the object was built. Another version makes other bytes of the same source. */
const BUILT_WITH = 'clang version 14.0.6';

const folder = mkdtempSync(join(tmpdir(), 'dendro-object-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function outputOf(command: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

const compiler = outputOf('clang', '--version');
const noTools =
  compiler === undefined || outputOf('llvm-strip', '--version') === undefined
    ? 'there is no clang with llvm-strip'
    : existsSync('/usr/include/bpf/bpf_core_read.h')
      ? undefined
      : "libbpf's headers are not here";
const noEbpf = process.geteuid?.() === 0 ? await whyNoEbpf() : 'only root may load programs';

/** Its programs, maps and variables, with their kinds and sizes. */
function symbolsOf(path: string): string[] {
  const symbols = outputOf('llvm-readelf', '--symbols', path) ?? '';
  return [...symbols.matchAll(/(\d+) (FUNC|OBJECT)\s+GLOBAL DEFAULT\s+\d+ (\w+)$/gm)]
    .map(([, size, kind, name]) => (kind === 'FUNC' ? `program ${name}` : `${name} of ${size} bytes`))
    .sort();
}

test.skipIf(noTools !== undefined)(
  `built anew it is the same, byte for byte by the same compiler, else in its programs and maps${noTools === undefined ? '' : ` (${noTools})`}`,
  () => {
    const rebuilt = join(folder, 'rebuilt.o');
    const { status, stderr } = spawnSync(join(dirname(OBJECT_PATH), 'build.sh'), [rebuilt], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(symbolsOf(rebuilt)).toEqual(symbolsOf(OBJECT_PATH));
    expect(symbolsOf(rebuilt)).toContain('program on_exec');
    if (compiler?.includes(BUILT_WITH)) expect(readFileSync(rebuilt).equals(readFileSync(OBJECT_PATH))).toBe(true);
  },
);

/** Loads all programs, and lets go of them again. @returns what libbpf says meanwhile, down to each relocation */
function loadAloud(bytes: Buffer): string[] {
  const lib = koffi.load('libbpf.so.1');
  const vsnprintf = koffi.load(null).func('int vsnprintf(_Out_ void *, size_t, const char *, void *)');
  const printType = koffi.proto('int', ['int', 'const char *', 'void *']);
  const setPrint = lib.func('void *libbpf_set_print(void *)');
  const lines: string[] = [];
  const line = Buffer.alloc(4096);
  const print = koffi.register((_level: number, format: string, args: unknown) => {
    const length = vsnprintf(line, line.length, format, args) as number;
    lines.push(line.toString('utf8', 0, Math.min(length, line.length - 1)).trimEnd());
    return 0;
  }, koffi.pointer(printType));
  setPrint(print);
  const object = lib.func('void *bpf_object__open_mem(const void *, size_t, const void *)')(bytes, bytes.length, null);
  expect(object).not.toBeNull();
  const loaded = lib.func('int bpf_object__load(void *)')(object);
  lib.func('void bpf_object__close(void *)')(object);
  setPrint(null);
  koffi.unregister(print);
  expect(loaded, lines.slice(-5).join('\n')).toBe(0);
  return lines;
}

/** What has changed from kernel to kernel. Of each, one is found. */
const OTHER_FORMS = [
  [['task_struct.start_boottime'], ['task_struct___5_4.real_start_time']],
  [
    ['inode.i_ctime_sec', 'inode.i_ctime_nsec'],
    ['inode___6_6.__i_ctime.tv_sec', 'inode___6_6.__i_ctime.tv_nsec'],
    ['inode___5.i_ctime.tv_sec', 'inode___5.i_ctime.tv_nsec'],
  ],
  [['kernfs_node.__parent'], ['kernfs_node___6_14.parent']],
];

test.skipIf(noEbpf !== undefined)(
  `all that it reads of this kernel is found in the kernel's own description, but for what other kernels have instead${noEbpf === undefined ? '' : ` (${noEbpf})`}`,
  () => {
    const lines = loadAloud(readFileSync(OBJECT_PATH));
    const asked = new Map<string, string>(); // relocation -> what it asks for
    const found = new Set<string>();
    for (const line of lines) {
      const [, relocation = '', what = ''] = /(prog '\w+': relo #\d+): (.*)/.exec(line) ?? [];
      const [, name] = /^<\w+> \[\d+\] (?:struct|enum) ([\w.:]+)/.exec(what) ?? [];
      if (name !== undefined) asked.set(relocation, name);
      else if (what.startsWith('matching candidate')) found.add(asked.get(relocation) ?? '');
    }
    const missing = new Set([...asked.values()].filter((name) => !found.has(name)));
    expect(new Set(asked.values()).size).toBeGreaterThan(50);
    for (const forms of OTHER_FORMS) {
      expect(forms.filter((names) => names.every((name) => found.has(name))).length).toBe(1);
    }
    const others = OTHER_FORMS.flat(2); // of which the outer field is asked for too
    expect([...missing].filter((name) => !others.some((other) => other.startsWith(name)))).toEqual([]);
  },
);
