// What is written into files: by hostile hosts, for people who did not see the page.

import type { EventNs, TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { birthsOf } from './births.ts';
import { lineageDot } from './lineage-dot.ts';
import { lineageFamily } from './lineage-family.ts';
import { lineageLayout } from './lineage-layout.ts';
import { type LineageSheet, lineageSheet } from './lineage-sheet.ts';
import { lineageSvg } from './lineage-svg.ts';
import { lineageText } from './lineage-text.ts';

const base = { epochNs: 1_700_000_000_000_000_000n };

interface Asked {
  readonly subject?: number;
  readonly at?: number;
  readonly limit?: number;
  readonly hostName?: string;
  readonly groups?: boolean;
}

function sheetOf(sketches: readonly TaskSketch[], asked: Asked = {}): LineageSheet {
  const { subject = 1, at = 1e12, limit = 500, hostName = 'web-07', groups = false } = asked;
  const tree = treeOf(sketches);
  const family = lineageFamily(tree, birthsOf(tree), tree.indexOf(subject as TaskId), {
    at: at as EventNs,
    limit,
    wanted: () => true,
    groups: () => groups,
  });
  const context = { tree, at: at as EventNs, base, users: { 0: 'root', 1000: 'deploy' } };
  return lineageSheet(context, family, lineageLayout(family), { hostName, unwantedAre: 'that ended' });
}

const named = (comm: string, more: Partial<TaskSketch> = {}): TaskSketch => ({
  id: 1,
  fields: { comm, uid: 0 },
  ...more,
});

const story: TaskSketch[] = [
  { id: 1, start: 0, fields: { comm: 'systemd', uid: 0, euid: 0 } },
  { id: 700, start: 2e9, parent: 1, fields: { comm: 'sshd', uid: 0, euid: 0 } },
  { id: 701, start: 4.1e9, parent: 700, fields: { comm: 'bash', uid: 1000, euid: 1000 } },
  { id: 702, start: 4.2e9, parent: 701, fields: { comm: 'sudo', uid: 1000, euid: 0 }, exit: { at: 5e9, code: 1 } },
  { id: 703, start: 4.3e9, parent: 701, fields: { comm: 'ctr', container: '0123456789abcdef', argv: ['ctr', 'a b'] } },
];

test('text: a tree with who, when, as whom, and what became of it', () => {
  expect(lineageText(sheetOf(story, { subject: 701 }))).toBe(
    `# Lineage of bash [701] on web-07
# As of 2023-11-14T22:30:00.000000000Z
# 2 ancestors, complete
# 2 descendants shown
systemd [1]  root  running
└─ sshd [700]  +2.0s  root  running
   └─ bash [701]  +2.1s  deploy  running  user root → deploy  <- this one
      ├─ sudo [702]  +100ms  deploy as root  exited 1  user deploy → deploy as root
      └─ ctr [703]  +200ms  deploy  running  container 0123456789ab  | ctr "a b"
`,
  );
});

test('what is not in the file is said in the file, in each format', () => {
  const children = Array.from({ length: 700 }, (_, i) => ({ id: i + 10, start: i, parent: 1 }));
  const sheet = sheetOf([named('sh'), ...children]);
  for (const file of [lineageText(sheet), lineageDot(sheet), lineageSvg(sheet)]) {
    expect(file).toContain('As of 2023-11-14T22:30:00.000000000Z');
    expect(file).toContain('500 of 700 descendants shown');
    expect(file).toContain('+200 more');
  }
});

test('of a chain of ancestors that is too long to be written, the nearest are', () => {
  const chain = Array.from({ length: 3000 }, (_, i) => ({ id: i + 1, start: i, ...(i === 0 ? {} : { parent: i }) }));
  const sheet = sheetOf(chain, { subject: 3000 });
  expect(sheet.nodes).toHaveLength(1001);
  expect(lineageText(sheet)).toContain('# Not in this file: 1,999 ancestors further up');
  expect(lineageDot(sheet)).toContain('Not in this file: 1,999 ancestors further up');
});

test('of a very long command line the beginning is written, and that it goes on', () => {
  const text = lineageText(sheetOf([named('x', { fields: { comm: 'x', argv: ['x'.repeat(5000)] } })]));
  expect(text).toContain(`${'x'.repeat(300)}… (5000 characters)`);
  expect(text.length).toBeLessThan(600);
});

test('why the lineage ends is a node of its own', () => {
  const sheet = sheetOf([{ id: 40, fields: { comm: 'a' } }], { subject: 40 });
  for (const file of [lineageText(sheet), lineageDot(sheet), lineageSvg(sheet)]) {
    expect(file).toContain('Parent not known');
    expect(file).toContain('Nobody has said who started this process.');
  }
});

test('a group says how many it stands for', () => {
  const sleeps = Array.from({ length: 6 }, (_, i) => ({
    id: i + 10,
    start: i,
    parent: 1,
    exit: { at: 100, code: 0 },
    fields: { comm: 'sleep' },
  }));
  const sheet = sheetOf([named('sh'), ...sleeps], { groups: true });
  expect(lineageText(sheet)).toContain('sleep ×6');
  expect(lineageDot(sheet)).toContain('sleep ×6');
  expect(lineageSvg(sheet)).toContain('×6');
});

describe('hostile names', () => {
  const HOSTILE = [
    '</title><script>alert(1)</script>',
    '"];evil [label="',
    'back\\',
    'a\nb [1]  root  running',
    '\u202egnp.exe\u200b',
    '\u0000\u001b[2J',
    '&lt;&#x41;&quot;',
    "'-->]]>",
    '\ufffe\uffff',
    '\ud800',
    '\\N\\G\\l',
  ];
  const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

  test('SVG: no element and no attribute beyond its own, and only characters of XML', () => {
    fc.assert(
      fc.property(hostile, hostile, (comm, argument) => {
        const svg = lineageSvg(
          sheetOf([named(comm, { fields: { comm, argv: [argument, 'x'], container: argument } })], {
            hostName: argument,
          }),
        );
        checkXml(svg);
      }),
    );
  });

  test('DOT: every string ends where it should, and no escape of Graphviz is in one', () => {
    fc.assert(
      fc.property(hostile, hostile, (comm, argument) => {
        const sketches = [named(comm), { id: 2, start: 5, parent: 1, fields: { comm: argument } }];
        const dot = lineageDot(sheetOf(sketches, { hostName: argument }));
        expect(dotShape(dot)).toEqual(
          dotShape(lineageDot(sheetOf([named('a'), { ...sketches[1]!, fields: { comm: 'b' } }], { hostName: 'c' }))),
        );
      }),
    );
  });

  test('text: a line for each node, whatever they are called', () => {
    fc.assert(
      fc.property(hostile, hostile, (comm, argument) => {
        const text = lineageText(
          sheetOf([named(comm, { fields: { comm, argv: [argument, comm] } })], { hostName: argument }),
        );
        expect(text.split('\n')).toHaveLength(6);
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069](?<!\n)/u);
      }),
    );
  });

  test('file names are made of letters, digits and a few signs', () => {
    fc.assert(
      fc.property(hostile, (comm) => {
        expect(sheetOf([named(comm)]).fileName).toMatch(/^lineage-[\w.-]{1,32}-1-20231114T223000Z$/);
      }),
    );
  });
});

const ELEMENTS = 'svg title desc style clipPath rect text tspan path g'.split(' ');

/** Reads as much of XML as the picture is made of; whatever else stands in it fails. */
function checkXml(xml: string): void {
  expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-zA-Z]+)((?: [a-zA-Z:-]+="[^"<&]*")*)(\/?)>/g,
    (_, close, name, _attributes, self) => {
      expect(ELEMENTS).toContain(name);
      if (close) expect(open.pop()).toBe(name);
      else if (!self) open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toContain('<');
  expect(rest.replace(/&(amp|lt|gt|quot);/g, '')).not.toContain('&');
}

/** DOT with what stands in its strings taken out; fails where a string holds an escape other than those it may. */
function dotShape(dot: string): string {
  return dot.replace(/^\/\/.*$/gm, '//').replace(/"((?:[^"\\\n]|\\.)*)"/g, (_, text: string) => {
    expect(text.replace(/\\\\|\\"|\\n|\\l/g, '')).not.toContain('\\');
    expect(text.replace(/&amp;/g, '')).not.toContain('&');
    return '""';
  });
}
