// `dendro doctor`: tries every source of live events, best first, and says which
// works here, what the others would need, and which one would be taken.

import { toError } from '@dendro/protocol';
import { mayUseEbpf } from '@dendro/sources';
import { feedsFor } from './tree-worker/choose-source.ts';

/** Every live source that needs nothing but this host, best first. */
const LIVE = ['ebpf', 'tracefs+cn_proc', 'tracefs', 'cn_proc', 'procfs'];
const NAME_WIDTH = Math.max(...LIVE.map((name) => name.length)) + 2;

/** What became of a source that was tried. */
export interface Finding {
  readonly name: string;
  /** Undefined when it works; else a sentence. */
  readonly failure: string | undefined;
  /** Where its events come from, and what it cannot see. */
  readonly detail: string;
  readonly notices: readonly string[];
}

/** @param say takes the lines */
export async function examine(say: (line: string) => void): Promise<void> {
  say('Sources of live events on this host, best first:\n');
  const works = new Set<string>();
  for (const name of LIVE) {
    const finding = await tryOut(name);
    if (finding.failure === undefined) works.add(finding.name);
    for (const line of linesOf(finding)) say(line);
  }
  const isRoot = process.geteuid?.() === 0;
  const inOrder = feedsFor(undefined, isRoot, { mayUseEbpf: mayUseEbpf() }).map((open) => open().source.name);
  const chosen = inOrder.find((name) => works.has(name));
  say('');
  say(
    chosen === undefined
      ? 'None of them works here: dendro can show recordings, and what Tracee, auditd or strace have written.'
      : `Without --source, dendro takes ${chosen}.`,
  );
}

async function tryOut(name: string): Promise<Finding> {
  const [open] = feedsFor(name, true);
  if (open === undefined) return { name, failure: 'There is no such source.', detail: '', notices: [] };
  const { source } = open();
  try {
    await source.start(() => {});
    // One that lacks a part of itself goes on without, under another name.
    const { name: actual, detail, notices } = source.status();
    const failure = actual === name ? undefined : (notices[0] ?? `It works as ${actual} only.`);
    return { name, failure, detail, notices };
  } catch (thrown) {
    return { name, failure: toError(thrown).message, detail: '', notices: [] };
  } finally {
    await source.stop();
  }
}

function* linesOf({ name, failure, detail, notices }: Finding): Generator<string> {
  const verdict = failure === undefined ? `works. ${detail}` : `does not work. ${failure}`;
  yield `  ${name.padEnd(NAME_WIDTH)}${verdict}`;
  if (failure !== undefined) return;
  for (const notice of notices) yield `  ${' '.repeat(NAME_WIDTH)}${notice}`;
}
