import { expect, test } from 'vitest';
import { csvText, dotTree, jsonText, ndjsonText, svgTree, type TreeLine, textTree } from './formats.ts';

const about = { host: 'h', why: '"<&' };
const all = (pieces: Iterable<string>) => [...pieces].join('');
const line = (key: string, depth: number, isLast: boolean, label = key, parent?: string): TreeLine => ({
  key,
  parent,
  depth,
  isLast,
  label,
});
const HOSTILE = '=1+2,"<b>&\n\u202e\\';

test('JSON and lines of it are read back as they were', () => {
  const tasks = [{ comm: HOSTILE }, { comm: null }];
  expect(JSON.parse(all(jsonText(about, tasks)))).toEqual({ about, tasks });
  expect(JSON.parse(all(jsonText(about, [])))).toEqual({ about, tasks: [] });
  const lines = all(ndjsonText(about, tasks)).trimEnd().split('\n');
  expect(lines.map((text) => JSON.parse(text))).toEqual([{ about }, ...tasks]);
});

test.each(['=1+1', '+1', '-1', '@x', '\t=1', '\r=1', '\n=1', '\uff1d1+1'])(
  'CSV: %j is no formula in a spreadsheet',
  (text) => {
    const cell = all(csvText(about, ['comm'], [{ comm: text }])).split('comm\r\n')[1] ?? '';
    expect(cell.replace(/^"/, '').startsWith("'")).toBe(true);
  },
);

test('CSV: numbers stay numbers, quotes are doubled, lists are JSON', () => {
  const tasks = [{ pid: -1, comm: 'a "b", c', cmd: ['x', 'y'], cwd: null }];
  const [head, columns, row] = all(csvText(about, ['pid', 'comm', 'cmd', 'cwd'], tasks)).split('\r\n');
  expect(head).toBe(`# ${JSON.stringify(about)}`);
  expect(columns).toBe('pid,comm,cmd,cwd');
  expect(row).toBe('-1,"a ""b"", c","[""x"",""y""]",');
});

test('a text tree has a line for each, under what it is of', () => {
  const lines = [line('a', 0, false), line('b', 1, false), line('c', 2, true), line('d', 1, true), line('e', 0, true)];
  expect(all(textTree(['of a host', 'evil\n# head'], lines))).toBe(
    ['# of a host', '# evil\\u{a}# head', 'a', '├─ b', '│  └─ c', '└─ d', 'e', ''].join('\n'),
  );
});

test('a chain that is deeper than can be drawn says how deep, and no line grows with it', () => {
  const lines = Array.from({ length: 3000 }, (_, depth) => line(`t${depth}`, depth, true));
  const text = all(textTree([], lines)).split('\n');
  expect(text[2000]).toMatch(/\(2000\) t2000$/);
  expect(Math.max(...text.map(({ length }) => length))).toBeLessThan(330);
});

test('pictures write out what would be markup, line ends or turn the text around', () => {
  const lines = [line('t1', 0, true, HOSTILE), line('t2', 1, true, 'x'.repeat(500), 't1')];
  const dot = all(dotTree(about, lines));
  expect(dot).toContain('t1 [label="=1+2,\\"<b>&amp;\\\\u{a}\\\\u{202e}\\\\"]');
  expect(dot).toContain('t1 -> t2;');
  expect(dot).toContain('… (500 characters)');
  const svg = all(svgTree(about, HOSTILE, lines, lines.length));
  expect(svg).toContain('=1+2,&quot;&lt;b&gt;&amp;\\u{a}\\u{202e}\\</text>');
  expect(svg).not.toMatch(/<b>|\u202e|<script/);
});

test('a picture ends where it would grow too large, and says how many are missing', () => {
  const lines = Array.from({ length: 5003 }, (_, i) => line(`t${i}`, 0, i === 5002));
  const svg = all(svgTree(about, 'title', lines, lines.length));
  expect(svg.match(/<text/g)).toHaveLength(5002);
  expect(svg).toContain('(3 more processes are not drawn)');
  expect(svg).toContain('&quot;drawn&quot;:5000');
});
