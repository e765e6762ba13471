// The thread of `PastAnswers`: a tree of the facts, and the same code that answers from the live one.

import { parentPort } from 'node:worker_threads';
import { DendroError } from '@dendro/protocol';
import { answerJson } from '../tree-worker/answers.ts';
import type { FromPast, ToPast } from './past-answers.ts';
import { PastTree } from './past-tree.ts';

const port = parentPort;
if (port === null) throw new Error('past-worker.ts runs as a worker thread only');

port.on('message', ({ request, question, ...past }: ToPast) => {
  try {
    const json = new TextEncoder().encode(answerJson(new PastTree(past), question));
    port.postMessage({ request, json } satisfies FromPast, [json.buffer]);
  } catch (thrown) {
    if (!(thrown instanceof DendroError)) throw thrown;
    const { code, message, details } = thrown;
    port.postMessage({ request, code, message, details } satisfies FromPast);
  }
});
