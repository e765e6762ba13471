import type { EventNs } from '@dendro/protocol';
import { count, dateTime, elapsed, mebibytes } from '../../layout/format.ts';
import type { ListedHost } from '../../layout/host-table.ts';
import { printable } from '../../layout/printable.ts';

interface HostRowProps {
  readonly host: ListedHost;
  readonly isShown: boolean;
  readonly onChoose: (id: string) => void;
}

export function HostRow({ host, isShown, onChoose }: HostRowProps) {
  const { id, source, counts, history, lagSeconds, gaps, newestAt } = host;
  const state = stateOf(host);
  return (
    <tr aria-current={isShown || undefined} data-testid="host-row" onClick={() => onChoose(id)}>
      <th scope="row" data-label="Host">
        <button type="button" className="row-open">
          {printable(host.name) || '(no name)'}
        </button>
        {isShown && <span className="tag">shown</span>}
      </th>
      <td data-label="Source" title={printable(source.detail)}>
        <span className="host-source">
          <span className={`dot is-${state}`} aria-hidden="true" />
          {printable(source.name)} <span className="host-state">{state}</span>
        </span>
      </td>
      <td data-label="Lag" className="is-number" title="How long ago the newest event of a live host was">
        {lagSeconds === null ? '–' : elapsed(lagSeconds * 1e9)}
      </td>
      <td data-label="Events/s" className="is-number" title={`${count(source.events)} events in all`}>
        {count(source.eventsPerSecond)}
      </td>
      <td data-label="Lost" className={source.lost > 0 ? 'is-number is-bad' : 'is-number'}>
        {count(source.lost)}
      </td>
      <td data-label="Gaps" className={gaps > 0 ? 'is-number is-warning' : 'is-number'}>
        {count(gaps)}
      </td>
      <td
        data-label="Living"
        className="is-number"
        title={`${count(counts.processes)} processes and ${count(counts.threads)} threads live; ${count(counts.tasks)} tasks are in memory`}
      >
        {count(counts.processes)}
        <span className="visually-hidden"> processes</span>
      </td>
      <td data-label="Recorded since">{history?.oldest ? timeText(history.oldest) : 'in memory only'}</td>
      <td data-label="History" title={history?.problem ?? undefined}>
        {history === null ? (
          '–'
        ) : (
          <>
            {mebibytes(history.bytes)}{' '}
            <span className={history.problem === null ? 'host-state' : 'is-bad'}>{printable(history.state)}</span>
          </>
        )}
      </td>
      <td data-label="Last event">{newestAt === null ? '–' : timeText(newestAt)}</td>
    </tr>
  );
}

function stateOf({ isLive, source: { state } }: ListedHost): string {
  if (state === 'failed' || state === 'starting') return state;
  return isLive && state === 'running' ? 'live' : 'recorded';
}

/** Time of day, with the date before it when it is of another day. */
function timeText(epochNs: string): string {
  const text = textOf(BigInt(epochNs));
  const day = textOf(BigInt(Date.now()) * 1_000_000n).slice(0, 11);
  return text.startsWith(day) ? text.slice(day.length) : text;
}

function textOf(epochNs: bigint): string {
  return dateTime({ epochNs }, 0 as EventNs);
}
