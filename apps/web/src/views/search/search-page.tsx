// Processes of any time, found in the history by the query that is written: each
// leads to the instant at which it was so.

import { NO_TASK, type TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, type HostInfo, type TimeBase } from '@dendro/protocol';
import { RefreshCw } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { count, dateTime } from '../../layout/format.ts';
import { type FoundLife, foundLifeModel } from '../../layout/found-life.ts';
import { type HistoryQuery, historyQuery } from '../../query/history-query.ts';
import { useView, view } from '../../state/view-store.ts';
import '../../styles/list.css';
import { IconButton } from '../common/icon-button.tsx';
import { ListHead } from '../common/list-head.tsx';
import { moveInList } from '../common/list-keys.ts';
import { goToTime } from '../timeline/go-to-time.ts';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import { FoundRow } from './found-row.tsx';
import { type HistorySearch, useHistorySearch } from './use-history-search.ts';

const FIRST = 100;
const MOST = 1000;
const COLUMNS = ['Started', 'Process', 'User', 'Command', 'Lasted', 'End', 'Started by'] as const;

export function SearchPage() {
  const { host } = useApp().replica;
  return (
    <section className="list-page" aria-labelledby="search-title">
      {host?.oldestEpochNs === undefined ? <NoHistory /> : <Search host={host} oldestEpochNs={host.oldestEpochNs} />}
    </section>
  );
}

function Search({ host, oldestEpochNs }: { readonly host: HostInfo; readonly oldestEpochNs: string }) {
  const { replica } = useApp();
  const base = { epochNs: BigInt(host.baseEpochNs) };
  const query = useView((state) => state.query);
  const asked = useView((state) => state.asked);
  const problem = useView((state) => state.problem);
  const isInWindow = useView((state) => state.searchesWindow);
  const [limit, setLimit] = useState(FIRST);
  const [turn, setTurn] = useState(0);
  const { url, unknown, rest } = useQuestion(host, base, limit, turn);
  const isAskable = unknown.length === 0 && problem === undefined;
  const search = useHistorySearch(isAskable ? url : undefined);
  const body = useRef<HTMLTableSectionElement>(null);
  const { answer } = search;
  return (
    <>
      <ListHead id="search-title" title="Search">
        <p role="status" className="search-says">
          {isAskable ? (
            <Says search={search} query={query} since={dateTime(base, eventTimeOf(base, BigInt(oldestEpochNs)))} />
          ) : null}
        </p>
        <label className="list-choice is-always">
          In
          <select
            aria-label="Time that is searched"
            value={isInWindow ? 'window' : 'all'}
            onChange={(event) => view.searchWindow(event.target.value === 'window')}
          >
            <option value="all">all that is recorded</option>
            <option value="window">what the strip shows</option>
          </select>
        </label>
        <IconButton label="Search again" onClick={() => setTurn(turn + 1)}>
          <RefreshCw size={14} aria-hidden="true" />
        </IconButton>
      </ListHead>
      {!isAskable ? (
        <NotAsked unknown={unknown} rest={rest} problem={problem?.message} />
      ) : answer === undefined ? null : answer.lives.length === 0 ? (
        <NothingFound isInWindow={isInWindow} />
      ) : (
        <div className={search.isAsking ? 'list-scroller is-old' : 'list-scroller'}>
          <table className="list-table search-table">
            <caption className="visually-hidden">Processes that were found, the newest first</caption>
            <thead>
              <tr>
                {COLUMNS.map((title) => (
                  <th key={title} scope="col" className={title === 'Lasted' ? 'is-number' : undefined}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody ref={body} onKeyDown={(event) => moveInList(event, body.current, '.row-open')}>
              {answer.lives.map((life) => {
                const { key, ...model } = foundLifeModel(life, base, host.users, isRunning(replica.tree, life, base));
                return (
                  <FoundRow
                    key={key}
                    {...model}
                    pid={life.pid}
                    marks={asked?.marks}
                    onChoose={() => {
                      goToTime({ kind: 'instant', at: model.at, base }, replica);
                      view.goToFound(life.taskId, life.pid);
                    }}
                  />
                );
              })}
            </tbody>
          </table>
          <Rest
            shown={answer.lives.length}
            total={answer.total}
            onMore={limit < MOST ? () => setLimit(MOST) : undefined}
          />
        </div>
      )}
    </>
  );
}

/** What is asked. The present goes on, and is taken as it was when the question last changed. */
function useQuestion(
  host: HostInfo,
  base: TimeBase,
  limit: number,
  turn: number,
): HistoryQuery & { readonly url: string } {
  const { replica } = useApp();
  const asked = useView((state) => state.asked);
  const pausedAt = useView((state) => state.pausedAt);
  const isInWindow = useView((state) => state.searchesWindow);
  const chosen = useView((state) => state.timeWindow);
  const { window } = useStripWindow();
  const latest = useRef(window);
  latest.current = window;
  return useMemo(() => {
    void [turn, chosen];
    const { params, ...rest } = historyQuery(asked?.query, { base, at: pausedAt ?? replica.now(), users: host.users });
    const all = new URLSearchParams(params.map(([name, value]) => [name, value]));
    all.set('limit', String(limit));
    if (isInWindow) {
      const epoch = (at: EventNs) => String(epochOf(base, at));
      all.set('from', epoch(latest.current.from));
      all.set('to', epoch(latest.current.to));
    }
    return { ...rest, params, url: `/api/v1/hosts/${encodeURIComponent(host.id)}/search?${all}` };
  }, [asked, pausedAt, isInWindow, chosen, limit, turn, host, base.epochNs, replica]);
}

/** Is it in the tree of the present, and lives? Ids of another run may be those of others. */
function isRunning(tree: TemporalTree, { taskId, pid, startTime }: FoundLife, base: TimeBase): boolean {
  const task = tree.indexOf(taskId);
  if (task === NO_TASK || !tree.isPresent(task) || tree.pidOf(task) !== pid) return false;
  return epochOf(base, tree.startOf(task)) === BigInt(startTime) && tree.exitOf(task) === Number.POSITIVE_INFINITY;
}

interface SaysProps {
  readonly search: HistorySearch;
  readonly query: string;
  readonly since: string;
}

function Says({ search: { answer, isAsking, problem }, query, since }: SaysProps) {
  if (problem !== undefined) return <span className="is-bad">{problem}</span>;
  if (answer === undefined || isAsking) return 'Searching …';
  const what = query === '' ? 'recorded' : 'found';
  const shown = answer.lives.length < answer.total ? `the newest ${count(answer.lives.length)} of ` : '';
  return `${shown}${count(answer.total)} ${what} since ${since}`;
}

interface RestProps {
  readonly shown: number;
  readonly total: number;
  readonly onMore: (() => void) | undefined;
}

function Rest({ shown, total, onMore }: RestProps) {
  if (shown >= total) return null;
  return (
    <p className="list-hint">
      These are the newest {count(shown)} of {count(total)}.{' '}
      {onMore === undefined ? (
        'Ask for less: a word more, a user, or a shorter time.'
      ) : (
        <button type="button" className="link" onClick={onMore}>
          Show up to {count(MOST)}
        </button>
      )}
    </p>
  );
}

interface NotAskedProps {
  readonly unknown: readonly string[];
  readonly rest: string;
  readonly problem: string | undefined;
}

function NotAsked({ unknown, rest, problem }: NotAskedProps) {
  if (problem !== undefined) return <p className="page">{problem}</p>;
  return (
    <div className="page" role="status">
      <h2>The history cannot be asked that</h2>
      <p>
        It is searched by words, <code>name:</code> <code>cmd:</code> <code>exe:</code> <code>container:</code>{' '}
        <code>user:</code> <code>uid:</code> <code>pid:</code> <code>ppid:</code> <code>exit:</code>{' '}
        <code>started:</code> <code>born:</code> and <code>state:exited</code>, each once, that all have to hold. Not by{' '}
        {unknown.map((part, i) => (
          <span key={part}>
            {i > 0 && ', '}
            <code>{part}</code>
          </span>
        ))}
        .
      </p>
      <button type="button" className="link" onClick={() => view.setQuery(rest)}>
        {rest === '' ? 'Show all that is recorded' : `Search for ${rest}`}
      </button>
    </div>
  );
}

function NothingFound({ isInWindow }: { readonly isInWindow: boolean }) {
  return (
    <div className="page" role="status">
      <h2>Nothing found</h2>
      <p>{isInWindow ? 'Nothing like it lived in what the strip shows.' : 'Nothing like it is recorded.'}</p>
      {isInWindow && (
        <button type="button" className="link" onClick={() => view.searchWindow(false)}>
          Search all that is recorded
        </button>
      )}
    </div>
  );
}

function NoHistory() {
  const query = useView((state) => state.query);
  const inTree = (): void => {
    view.setQuery(/\bstate:/.test(query) ? query : `${query} state:all`.trim());
    view.closeList();
  };
  return (
    <div className="page">
      <h2 id="search-title">Nothing is recorded</h2>
      <p>
        There is no history of this host: a recording is not recorded again, and with <code>--no-history</code> nothing
        is. All that is known of it is in the tree, what has ended too.
      </p>
      <button type="button" className="link" onClick={inTree}>
        Look in the tree, through what has ended too
      </button>
    </div>
  );
}
