// What the server's history has found, asked again whenever the query changes.

import { useEffect, useState } from 'react';
import type { FoundLife } from '../../layout/found-life.ts';
import { sentenceOf } from '../../replica/window-request.ts';

export interface SearchAnswer {
  readonly lives: readonly FoundLife[];
  readonly total: number;
}

export interface HistorySearch {
  /** Of the last query that was answered; undefined before there is one. */
  readonly answer: SearchAnswer | undefined;
  readonly isAsking: boolean;
  /** Why there is no answer: a sentence. */
  readonly problem: string | undefined;
}

/** Somebody who writes is not asked for at each letter. */
const SETTLE_MS = 200;
const ANSWER_MS = 30_000;

/** @param url what to ask; undefined: nothing */
export function useHistorySearch(url: string | undefined): HistorySearch {
  const [search, setSearch] = useState<HistorySearch>({ answer: undefined, isAsking: true, problem: undefined });
  useEffect(() => {
    const left = new AbortController();
    setSearch(({ answer }) => ({ answer, isAsking: url !== undefined, problem: undefined }));
    const timer = setTimeout(async () => {
      if (url === undefined) return;
      const answer = await searched(url, AbortSignal.any([left.signal, AbortSignal.timeout(ANSWER_MS)]));
      if (left.signal.aborted) return;
      if (typeof answer === 'string')
        setSearch(({ answer: last }) => ({ answer: last, isAsking: false, problem: answer }));
      else setSearch({ answer, isAsking: false, problem: undefined });
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [url]);
  return search;
}

/** @returns why there is no answer, a sentence */
async function searched(url: string, signal: AbortSignal): Promise<SearchAnswer | string> {
  try {
    const answer = await fetch(url, { signal });
    return answer.ok ? ((await answer.json()) as SearchAnswer) : sentenceOf(answer);
  } catch {
    return 'The server does not answer.';
  }
}
