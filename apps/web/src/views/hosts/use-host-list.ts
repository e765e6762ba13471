// What the server says of its hosts, asked for again and again while the list is seen.

import { useEffect, useState } from 'react';
import type { ListedHost } from '../../layout/host-table.ts';

export interface HostList {
  /** As it was said last; undefined before the first answer. */
  readonly hosts: readonly ListedHost[] | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Why there was no answer since: a sentence. */
  readonly problem: string | undefined;
}

const EVERY_MS = 2000;
const ANSWER_MS = 8000;

export function useHostList(): HostList {
  const [list, setList] = useState<HostList>({ hosts: undefined, at: 0, problem: undefined });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const ask = async (): Promise<void> => {
      const answer = document.hidden ? undefined : await listHosts();
      if (isOver) return;
      if (typeof answer === 'string') setList((list) => ({ ...list, problem: answer }));
      else if (answer !== undefined) setList({ hosts: answer, at: Date.now(), problem: undefined });
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return list;
}

/** @returns why there are none, a sentence */
async function listHosts(): Promise<readonly ListedHost[] | string> {
  try {
    const answer = await fetch('/api/v1/hosts', { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) return `The server answered ${answer.status}.`;
    return ((await answer.json()) as { readonly hosts: readonly ListedHost[] }).hosts;
  } catch {
    return 'The server does not answer.';
  }
}
