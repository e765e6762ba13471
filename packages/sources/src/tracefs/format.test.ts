import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordDecoder } from './decode.ts';
import { checkRecordHeader, parseEventFormat, parsePageLayout, requireField } from './format.ts';

const FORMATS = join(import.meta.dirname, '../../../testkit/recordings/core-strace/formats');

function recorded(name: string): string {
  return readFileSync(join(FORMATS, name), 'utf8');
}

const OLD_EXIT = `name: sched_process_exit
ID: 310
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char comm[TASK_COMM_LEN];\toffset:8;\tsize:16;\tsigned:1;
\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;
\tfield:int (*odd)(void);\toffset:28;\tsize:8;\tsigned:0;
\tfield:__rel_loc char[] tail;\toffset:36;\tsize:4;\tsigned:0;

print fmt: "comm=%s pid=%d", REC->comm, REC->pid
`;

test('a format tells id, offset, size, sign and kind of each field', () => {
  const format = parseEventFormat(recorded('task:task_newtask.format'));

  expect(format.name).toBe('task_newtask');
  expect(format.id).toBe(205);
  expect(format.fields.get('common_pid')).toEqual({
    name: 'common_pid',
    kind: 'int',
    offset: 4,
    sizeBytes: 4,
    isSigned: true,
  });
  expect(format.fields.get('comm')).toEqual({
    name: 'comm',
    kind: 'chars',
    offset: 12,
    sizeBytes: 16,
    isSigned: false,
  });
  expect(format.fields.get('clone_flags')).toMatchObject({ kind: 'int', offset: 32, sizeBytes: 8 });
});

test('a __data_loc field is text somewhere else in the record', () => {
  const format = parseEventFormat(recorded('sched:sched_process_exec.format'));

  expect(format.fields.get('filename')).toMatchObject({ kind: 'data-loc', offset: 8, sizeBytes: 4 });
});

test('the format of another kernel is read as it is: names of lengths, relative text, odd fields passed over', () => {
  const { fields } = parseEventFormat(OLD_EXIT);

  expect([...fields.keys()]).toEqual(['common_type', 'common_pid', 'comm', 'pid', 'tail']);
  expect(fields.get('comm')).toMatchObject({ kind: 'chars', sizeBytes: 16 });
  expect(fields.get('tail')).toMatchObject({ kind: 'rel-data-loc' });
});

test('the page layout of the recording is that of 4,096 byte pages', () => {
  expect(parsePageLayout(recorded('header_page'))).toEqual({
    timestampOffset: 0,
    commitOffset: 8,
    dataOffset: 16,
    sizeBytes: 4096,
  });
});

test('a page of 64 KiB and a commit word of 32 bits are read as they are', () => {
  const text = '\tfield: u64 timestamp;\toffset:0;\tsize:8;\n\tfield: local_t commit;\toffset:8;\tsize:4;\n';

  expect(parsePageLayout(`${text}\tfield: char data;\toffset:12;\tsize:65524;\n`)).toEqual({
    timestampOffset: 0,
    commitOffset: 8,
    dataOffset: 12,
    sizeBytes: 65536,
  });
});

test.each([
  ['nothing', ''],
  ['no data', '\tfield: u64 timestamp;\toffset:0;\tsize:8;\n\tfield: local_t commit;\toffset:8;\tsize:8;\n'],
  ['data inside the header', recorded('header_page').replace('offset:16', 'offset:4')],
  ['a page of a gigabyte', recorded('header_page').replace('size:4080', 'size:999999999')],
  ['a time of four bytes', recorded('header_page').replace('size:8', 'size:4')],
])('a header_page with %s is refused', (_what, text) => {
  expect(() => parsePageLayout(text)).toThrow(/header_page/);
});

test.each([
  ['no name', 'ID: 3\n'],
  ['no id', 'name: x\n'],
  ['an id beyond 16 bits', 'name: x\nID: 65536\n'],
])('a format with %s is refused', (_what, text) => {
  expect(() => parseEventFormat(text)).toThrow(/no name or no valid ID/);
});

test('a field outside any record is refused by name', () => {
  expect(() => parseEventFormat(OLD_EXIT.replace('offset:24', 'offset:70000'))).toThrow(/sched_process_exit puts pid/);
});

test('a missing field or one of another kind is named', () => {
  const format = parseEventFormat(OLD_EXIT);

  expect(() => requireField(format, 'prio', 'int')).toThrow(
    'the event sched_process_exit of this kernel has no field prio',
  );
  expect(() => requireField(format, 'comm', 'int')).toThrow(/no field comm/);
  expect(() => requireField(format, 'pid', 'text')).toThrow(/no field pid/);
});

test('a decoder without an event or a field that it needs says which', () => {
  const texts = readdirSync(FORMATS)
    .filter((name) => name.endsWith('.format'))
    .map(recorded);
  const without = (name: string) => texts.filter((text) => !text.startsWith(`name: ${name}\n`)).map(parseEventFormat);
  const broken = texts.map((text) => text.replace(' clone_flags;', ' flags;')).map(parseEventFormat);
  const moved = texts
    .map((text) =>
      text.startsWith('name: task_rename') ? text.replace('common_pid;\toffset:4', 'common_pid;\toffset:0') : text,
    )
    .map(parseEventFormat);

  for (const name of ['task_newtask', 'task_rename', 'sched_process_exec', 'sched_process_exit']) {
    expect(() => new RecordDecoder(without(name))).toThrow(`no format of the event ${name}`);
  }
  expect(() => new RecordDecoder(without('sched_process_fork'))).not.toThrow();
  expect(() => new RecordDecoder(broken)).toThrow('task_newtask of this kernel has no field clone_flags');
  expect(() => new RecordDecoder(moved)).toThrow('do not agree on where common_pid is');
});

const HEADER_EVENT = `# compressed entry header
	type_len    :    5 bits
	time_delta  :   27 bits
	array       :   32 bits

	padding     : type == 29
	time_extend : type == 30
	time_stamp : type == 31
	data max type_len  == 28
`;

test('the record header of every kernel so far is known, another is refused', () => {
  expect(() => checkRecordHeader(HEADER_EVENT)).not.toThrow();
  expect(() => checkRecordHeader(HEADER_EVENT.replace(/\ttime_stamp.*\n/, ''))).not.toThrow();
  expect(() => checkRecordHeader(HEADER_EVENT.replace('27 bits', '28 bits'))).toThrow(/does not know/);
  expect(() => checkRecordHeader(HEADER_EVENT.replace('== 31', '== 32'))).toThrow(/does not know/);
  expect(() => checkRecordHeader('')).toThrow(/does not know/);
});

test('no text, and no mutation of a real format, does worse than be refused', () => {
  const real = recorded('sched:sched_process_exec.format');
  const mutated = fc
    .tuple(fc.nat(real.length), fc.nat(40), fc.string({ maxLength: 20 }))
    .map(([at, length, put]) => real.slice(0, at) + put + real.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 2000 }), mutated), (text) => {
      let format: ReturnType<typeof parseEventFormat>;
      try {
        format = parseEventFormat(text);
      } catch (thrown) {
        expect((thrown as Error).message).toMatch(/format/);
        return;
      }
      expect(format.id).toBeLessThanOrEqual(0xffff);
      for (const field of format.fields.values()) expect(field.offset + field.sizeBytes).toBeLessThanOrEqual(0xffff);
    }),
    { numRuns: 500 },
  );
});
