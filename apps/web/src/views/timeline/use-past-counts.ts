// Counts of what the page does not hold by itself, from the server's history.

import { type EventNs, epochOf, eventTimeOf, type HostInfo, type TimeBase, toError } from '@dendro/protocol';
import { useEffect, useState } from 'react';
import type { Histogram } from '../../layout/histogram.ts';
import { sentenceOf } from '../../replica/window-request.ts';

const SETTLE_MS = 150;
const AGAIN_MS = 10_000;
const ANSWER_MS = 15_000;
const MAX_BUCKETS = 2000;

export interface PastCounts {
  readonly host: string;
  readonly histogram: Histogram;
  readonly gaps: readonly { readonly from: EventNs; readonly to: EventNs; readonly lost: number }[];
}

interface Answer {
  readonly firstNs: string;
  readonly bucketNs: string;
  readonly births: readonly number[];
  readonly exits: readonly number[];
  readonly findings?: readonly number[];
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly lost: number }[];
}

/**
 * @param from of the first bucket; `count` of them are asked for
 * @param isWanted not where the page itself knows
 * @returns the last counts that came, which may be of another window, or in longer buckets, for the server counts by the second; and why the last ones did not come, a sentence
 */
export function usePastCounts(
  host: HostInfo,
  base: TimeBase,
  from: EventNs,
  bucketNs: number,
  count: number,
  isWanted: boolean,
): { readonly counts: PastCounts | undefined; readonly problem: string | undefined } {
  const [counts, setCounts] = useState<PastCounts | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  const isAsked = isWanted && host.oldestEpochNs !== undefined && count <= MAX_BUCKETS;
  const [first, last] = [epochOf(base, from), epochOf(base, (from + count * bucketNs) as EventNs)].map(String);
  useEffect(() => {
    void turn;
    if (!isAsked || first === undefined || last === undefined) return;
    const ended = new AbortController();
    const timer = setTimeout(async () => {
      const query = new URLSearchParams({ from: first, to: last, buckets: String(count) });
      try {
        const url = `/api/v1/hosts/${encodeURIComponent(host.id)}/histogram?${query}`;
        const answer = await fetch(url, { signal: AbortSignal.any([ended.signal, AbortSignal.timeout(ANSWER_MS)]) });
        if (!answer.ok) throw new Error(await sentenceOf(answer));
        setCounts(countsOf(host, (await answer.json()) as Answer));
        setProblem(undefined);
      } catch (thrown) {
        // The strip shows what the page knows, and asks again soon.
        if (!ended.signal.aborted) setProblem(toError(thrown).message);
      }
    }, SETTLE_MS);
    const again = setTimeout(() => setTurn((turn) => turn + 1), AGAIN_MS);
    return () => {
      clearTimeout(timer);
      clearTimeout(again);
      ended.abort();
    };
  }, [isAsked, host, first, last, count, turn]);
  const isOfHost = isAsked && counts?.host === host.id;
  return { counts: isOfHost ? counts : undefined, problem: isAsked ? problem : undefined };
}

function countsOf(host: HostInfo, { firstNs, bucketNs, births, exits, findings, gaps }: Answer): PastCounts {
  const base = { epochNs: BigInt(host.baseEpochNs) };
  const time = (epochNs: string) => eventTimeOf(base, BigInt(epochNs));
  return {
    host: host.id,
    histogram: {
      from: time(firstNs),
      bucketNs: Number(bucketNs),
      births: Uint32Array.from(births),
      exits: Uint32Array.from(exits),
      findings: findings && Uint32Array.from(findings),
      most: Math.max(1, ...births, ...exits),
    },
    gaps: gaps.map(({ from, to, lost }) => ({ from: time(from), to: time(to), lost })),
  };
}
