// The hosts of this server, in place of the tree: how each is told of, what was
// lost, what is recorded. A host that is chosen is shown.

import type { EventNs } from '@dendro/protocol';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime, count, plural } from '../../layout/format.ts';
import {
  HOST_COLUMN_IDS,
  HOST_COLUMNS,
  type HostColumn,
  type HostSort,
  nextSort,
  sortedHosts,
} from '../../layout/host-table.ts';
import { showHost } from '../../show-host.ts';
import { view } from '../../state/view-store.ts';
import '../../styles/list.css';
import { ListHead } from '../common/list-head.tsx';
import { moveInList } from '../common/list-keys.ts';
import { HostRow } from './host-row.tsx';
import { useHostList } from './use-host-list.ts';

export function HostsPage() {
  const { replica, connection } = useApp();
  const { hosts, at, problem } = useHostList();
  const [sort, setSort] = useState<HostSort>({ by: 'name', isDescending: false });
  const body = useRef<HTMLTableSectionElement>(null);
  const shown = replica.host?.id;
  const choose = (id: string): void => {
    if (id === shown && connection.status.kind !== 'left') view.closeList();
    else showHost(connection, id);
  };
  const hasHosts = hosts !== undefined && hosts.length > 0;
  useEffect(() => {
    const rows = body.current;
    if (!hasHosts || rows === null) return;
    (rows.querySelector<HTMLElement>('[aria-current="true"] button') ?? rows.querySelector('button'))?.focus();
  }, [hasHosts]);
  return (
    <section className="list-page" aria-labelledby="hosts-title">
      <ListHead id="hosts-title" title="Hosts">
        <p role="status">
          {hosts === undefined ? 'Asking the server …' : `${plural(hosts.length, 'host')} of this server`}
          {problem !== undefined && (
            <span className="is-bad">
              {' '}
              {problem}{' '}
              {hosts !== undefined &&
                `This is of ${clockTime({ epochNs: BigInt(at) * 1_000_000n }, 0 as EventNs, at)}.`}
            </span>
          )}
        </p>
        {/* Where lines are cards, there are no heads to click on. */}
        <label className="list-choice">
          Sort
          <select
            value={sort.by}
            onChange={(event) => setSort((sort) => nextSort(sort, event.target.value as HostColumn))}
          >
            {HOST_COLUMN_IDS.map((id) => (
              <option key={id} value={id}>
                {HOST_COLUMNS[id].title}
              </option>
            ))}
          </select>
        </label>
      </ListHead>
      {hosts === undefined ? (
        problem !== undefined && <Failed problem={problem} />
      ) : hosts.length === 0 ? (
        <NoHost />
      ) : (
        <div className="list-scroller">
          <table className="list-table">
            <caption className="visually-hidden">Hosts of this server</caption>
            <thead>
              <tr>
                {HOST_COLUMN_IDS.map((id) => (
                  <Head key={id} id={id} sort={sort} onSort={() => setSort((sort) => nextSort(sort, id))} />
                ))}
              </tr>
            </thead>
            <tbody ref={body} onKeyDown={(event) => moveInList(event, body.current, '.row-open')}>
              {sortedHosts(hosts, sort).map((host) => (
                <HostRow key={host.id} host={host} isShown={host.id === shown} onChoose={choose} />
              ))}
            </tbody>
            {hosts.length > 1 && <Sums hosts={hosts} />}
          </table>
          {hosts.length === 1 && <OneHost />}
        </div>
      )}
    </section>
  );
}

interface HeadProps {
  readonly id: HostColumn;
  readonly sort: HostSort;
  readonly onSort: () => void;
}

function Head({ id, sort, onSort }: HeadProps) {
  const { title, isNumeric } = HOST_COLUMNS[id];
  const isSorted = sort.by === id;
  const Icon = sort.isDescending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      className={isNumeric ? 'is-number' : undefined}
      aria-sort={isSorted ? (sort.isDescending ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" onClick={onSort}>
        {title}
        {isSorted ? <Icon size={12} aria-hidden="true" /> : <span className="sort-space" />}
      </button>
    </th>
  );
}

function Sums({ hosts }: { readonly hosts: NonNullable<ReturnType<typeof useHostList>['hosts']> }) {
  const sum = (of: (host: (typeof hosts)[number]) => number): string =>
    count(hosts.reduce((all, host) => all + of(host), 0));
  return (
    <tfoot>
      <tr>
        <th scope="row" colSpan={3}>
          Together
        </th>
        <td className="is-number">{sum(({ source }) => source.eventsPerSecond)}</td>
        <td className="is-number">{sum(({ source }) => source.lost)}</td>
        <td className="is-number">{sum(({ gaps }) => gaps)}</td>
        <td className="is-number">{sum(({ counts }) => counts.processes)}</td>
        <td colSpan={3} />
      </tr>
    </tfoot>
  );
}

function OneHost() {
  return (
    <p className="list-hint">
      One host is watched. A feed can tell of several: Tracee over gRPC, its events in a file, or events that are
      posted. Each host gets a tree of its own, and a line here when it is first heard of.
    </p>
  );
}

function NoHost() {
  return (
    <div className="page">
      <h2>No host yet</h2>
      <p>The server is there and watches no host: one appears as soon as its source tells of it.</p>
    </div>
  );
}

function Failed({ problem }: { readonly problem: string }) {
  return (
    <div className="page" role="alert">
      <h2>The list could not be had</h2>
      <p>{problem} It is asked again every two seconds.</p>
    </div>
  );
}
