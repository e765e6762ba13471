// `pnpm bench:tracee`: lines of Tracee to events, beside JSON.parse of the same
// bytes, which rounds every 64-bit number and makes no event yet. All in one
// run, turn by turn; the medians count. Prints a table and writes it as JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TraceeDecoder } from '@dendro/sources';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' }, out: { type: 'string' } } });

const LINES = 60_000;
const CHUNK_BYTES = 256 * 1024;
const LF = 10;

/** The recorded lines again and again, with other tids and other times each time. */
function linesOf(names: readonly string[]): Buffer {
  const recorded = names.flatMap((name) =>
    readFileSync(new URL(`../vectors/tracee/${name}.ndjson`, import.meta.url), 'utf8')
      .trim()
      .split('\n'),
  );
  const lines: string[] = [];
  for (let i = 0; i < LINES; i++) {
    lines.push(
      (recorded[i % recorded.length] as string)
        .replace(/("(?:hostThreadId|host_tid|hostProcessId|host_pid)":)\d+/g, `$1${1000 + (i % 30_000)}`)
        .replace(/\b17000000(\d\d)\d{9}\b/g, `17000000$1${String(i * 7919).padStart(9, '0')}`)
        .replace(/(:\d\d)(?:\.\d+)?Z"/g, `$1.${String(i * 7919).padStart(9, '0')}Z"`),
    );
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** @returns how many lines there were, so that nothing is left out as unused */
function parseLines(bytes: Buffer): number {
  let lines = 0;
  for (let from = 0, end = bytes.indexOf(LF); end >= 0; from = end + 1, end = bytes.indexOf(LF, from)) {
    if (JSON.parse(bytes.toString('utf8', from, end)) !== undefined) lines++;
  }
  return lines;
}

function parseStrings(lines: readonly string[]): number {
  let parsed = 0;
  for (const line of lines) if (JSON.parse(line) !== undefined) parsed++;
  return parsed;
}

function decode(bytes: Buffer): number {
  let events = 0;
  const decoder = new TraceeDecoder(() => events++);
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) decoder.push(bytes.subarray(from, from + CHUNK_BYTES));
  decoder.end();
  if (decoder.decoded !== LINES || events < LINES) throw new Error('not every line gave events');
  return decoder.decoded;
}

function measure(names: readonly string[]) {
  const bytes = linesOf(names);
  const strings = bytes.toString().trim().split('\n');
  const ways = {
    parse: () => parseLines(bytes),
    parseStrings: () => parseStrings(strings),
    decode: () => decode(bytes),
  };
  const taken = { parse: [] as number[], parseStrings: [] as number[], decode: [] as number[] };
  for (let run = 0; run <= Number(values.runs); run++) {
    for (const way of ['parse', 'parseStrings', 'decode'] as const) {
      const began = performance.now();
      ways[way]();
      if (run > 0) taken[way].push(performance.now() - began); // the first warms up
    }
  }
  const rate = (way: keyof typeof taken) => {
    const sorted = taken[way].toSorted((a, b) => a - b);
    return Math.round((LINES / (sorted[sorted.length >> 1] as number)) * 1000);
  };
  return {
    bytesPerLine: Math.round(bytes.length / LINES),
    parseLinesPerSecond: rate('parse'),
    parseStringsPerSecond: rate('parseStrings'),
    decodeLinesPerSecond: rate('decode'),
  };
}

const dialects = {
  legacy: measure(['legacy', 'legacy-threads']),
  v1beta1: measure(['v1beta1', 'v1beta1-threads']),
};
const widths = [24, 12, 22, 24, 16, 10, 8];
const head = ['', 'bytes/line', 'JSON.parse of bytes/s', 'JSON.parse of strings/s', 'to events/s', 'ratio', 'goal'];
const rows = Object.entries(dialects).map(([name, one]) => [
  name,
  String(one.bytesPerLine),
  String(one.parseLinesPerSecond),
  String(one.parseStringsPerSecond),
  String(one.decodeLinesPerSecond),
  `${(one.decodeLinesPerSecond / one.parseLinesPerSecond).toFixed(2)} ×`,
  '≥ 2 ×',
]);
for (const row of [head, ...rows]) {
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' '));
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(dialects, null, 2)}\n`);
