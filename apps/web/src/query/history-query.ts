// A query as the server's history is asked: by words and fields that all have to
// hold at once. What cannot be asked so is named.

import { type EventNs, epochOf, type TimeBase } from '@dendro/protocol';
import { parseTimeText } from '../layout/time-text.ts';
import { joined, type Query, type Scalar, type Test } from './ast.ts';
import { printQuery } from './print-query.ts';

export interface HistoryQuery {
  /** Parameters of `GET …/search`. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** Parts of the query that the history cannot be asked for, as they are written. */
  readonly unknown: readonly string[];
  /** The query without them. */
  readonly rest: string;
}

export interface HistoryContext {
  readonly base: TimeBase;
  /** What relative times count from. */
  readonly at: EventNs;
  /** User names by uid. */
  readonly users: Readonly<Record<string, string>>;
}

type Params = readonly (readonly [string, string])[];
type Field = Extract<Query, { kind: 'field' }>;

/** What a history is asked for by text. */
const TEXTS = { name: 'comm', cmd: 'commandLine', exe: 'path', container: 'container' } as const;
const NUMBERS = { pid: 'pid', ppid: 'parentPid', uid: 'uid' } as const;
/** Each has one value. */
const MANY = new Set(['q']);
const MAX_PLAIN_CODE = 128;
const EVER = '1970-01-01T00:00:00Z';

/** @param query undefined: all that is recorded */
export function historyQuery(query: Query | undefined, context: HistoryContext): HistoryQuery {
  const items = query === undefined ? [] : query.kind === 'all' ? query.items : [query];
  const params: (readonly [string, string])[] = [];
  const [known, unknown]: [Query[], Query[]] = [[], []];
  for (const item of items) {
    const asked = paramsOf(item, context);
    const isTwice = asked?.some(([name]) => !MANY.has(name) && params.some(([known]) => known === name)) ?? true;
    if (asked === undefined || isTwice) unknown.push(item);
    else {
      known.push(item);
      params.push(...asked);
    }
  }
  return {
    params,
    unknown: unknown.map(printQuery),
    rest: known.length === 0 ? '' : printQuery(joined('all', known)),
  };
}

/** @returns undefined where it cannot be asked */
function paramsOf(item: Query, context: HistoryContext): Params | undefined {
  if (item.kind === 'text') return item.pattern.kind === 'words' ? [['q', item.pattern.text]] : undefined;
  const [test, ...others] = item.kind === 'field' ? item.tests : [];
  if (item.kind !== 'field' || test === undefined || others.length > 0) return undefined;
  return ofField(item, test, context);
}

function ofField({ field }: Field, test: Test, context: HistoryContext): Params | undefined {
  switch (field) {
    case 'name':
    case 'cmd':
    case 'exe':
    case 'container': {
      if (test.kind !== 'text' || test.op !== ':' || test.pattern.kind !== 'words') return undefined;
      return test.pattern.text === '' ? undefined : [[TEXTS[field], test.pattern.text]];
    }
    case 'pid':
    case 'ppid':
    case 'uid': {
      const number = equalTo(test);
      return number?.kind === 'number' ? [[NUMBERS[field], String(number.value)]] : undefined;
    }
    case 'user':
      return ofUser(test, context);
    case 'exit': {
      const end = equalTo(test);
      if (end?.kind === 'signal') return [['signal', String(end.signal)]];
      // Above it is a code or a signal.
      return end?.kind === 'number' && end.value <= MAX_PLAIN_CODE ? [['exitCode', String(end.value)]] : undefined;
    }
    case 'state':
      if (test.kind !== 'state' || test.state === 'running') return undefined;
      return test.state === 'all' ? [] : [['endedAfter', EVER]];
    case 'started':
      return started(
        endsOf(test, (time) => timeOf(time, context)),
        context.base,
      );
    case 'born':
      // Less long ago is later.
      return started(
        endsOf(test, (age) => (age.kind === 'duration' ? context.at - age.ns : undefined))?.toReversed(),
        context.base,
      );
    default:
      return undefined;
  }
}

/** @param ends first and last instant, either of which can be open */
function started(ends: readonly (number | undefined)[] | undefined, base: TimeBase): Params | undefined {
  return ends?.flatMap((ns, i) =>
    ns === undefined
      ? []
      : [[i === 0 ? 'startedAfter' : 'startedBefore', String(epochOf(base, ns as EventNs))] as const],
  );
}

function ofUser(test: Test, { users }: HistoryContext): Params | undefined {
  if (test.kind !== 'text' || test.op === '!=' || test.pattern.kind !== 'words') return undefined;
  const { text } = test.pattern;
  if (/^\d{1,10}$/.test(text)) return [['uid', text]];
  const uids = Object.keys(users).filter((uid) => users[uid] === text);
  return uids.length === 1 ? [['uid', uids[0] as string]] : undefined;
}

function equalTo(test: Test): Scalar | undefined {
  return test.kind === 'compare' && test.op === '=' ? test.value : undefined;
}

/** What lies between is meant; undefined where it cannot be said so. */
function endsOf(
  test: Test,
  nsOf: (scalar: Scalar) => number | undefined,
): readonly [number | undefined, number | undefined] | undefined {
  if (test.kind === 'range') {
    const [from, to] = [test.from && nsOf(test.from), test.to && nsOf(test.to)];
    const isUnknown = (test.from !== undefined && from === undefined) || (test.to !== undefined && to === undefined);
    return isUnknown ? undefined : [from, to];
  }
  const ns = test.kind === 'compare' ? nsOf(test.value) : undefined;
  if (test.kind !== 'compare' || ns === undefined) return undefined;
  if (test.op === '>' || test.op === '>=') return [ns, undefined];
  return test.op === '<' || test.op === '<=' ? [undefined, ns] : undefined;
}

function timeOf(scalar: Scalar, { base, at }: HistoryContext): number | undefined {
  const time = scalar.kind === 'time' ? parseTimeText(scalar.written, base, at) : undefined;
  return time === 'live' ? at : time;
}
