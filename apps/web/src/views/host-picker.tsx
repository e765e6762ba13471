// Which host is shown, and, where there are several, another one to choose.

import type { HostSummary } from '@dendro/protocol';
import { ChevronDown } from 'lucide-react';
import { type KeyboardEvent, useEffect, useEffectEvent, useRef, useState } from 'react';
import { useApp } from '../app-context.ts';
import { plural } from '../layout/format.ts';
import { printable } from '../layout/printable.ts';
import { showHost } from '../show-host.ts';
import { view } from '../state/view-store.ts';
import { useConnectionStatus, useHosts } from '../use-replica.ts';
import { Popover } from './common/popover.tsx';

/** So many are seen at a glance; more are found sooner by a part of the name. */
const MANY = 8;

export function HostPicker() {
  const { replica } = useApp();
  const hosts = useHosts();
  const isElsewhere = useConnectionStatus().kind === 'left';
  const name = replica.host && printable(replica.host.name);
  // Undefined until there is a first list: nobody is new in that.
  const [seen, setSeen] = useState<ReadonlySet<string>>();
  if (seen === undefined && hosts.length > 0) setSeen(idsOf(hosts));
  const appeared = hosts.filter(({ id }) => seen?.has(id) === false && id !== replica.host?.id);
  const isChoice = hosts.length > 1 && !isElsewhere;
  return (
    <div className="host-picker">
      {!isChoice && name !== undefined && (
        <button
          type="button"
          className="host-alone"
          title="Hosts of this server (H)"
          aria-label={`Host ${name}: hosts of this server`}
          onClick={() => view.openHosts()}
        >
          <span className="host-name">{name}</span>
        </button>
      )}
      {isChoice && (
        <Picker hosts={hosts} name={name ?? 'no host'} appeared={appeared} onOpen={() => setSeen(idsOf(hosts))} />
      )}
      <span className="visually-hidden" role="status">
        {isChoice && appeared.length > 0 && `${plural(appeared.length, 'host')} appeared: ${namesOf(appeared)}. `}
        {isChoice && `Shown: ${name ?? 'no host'}.`}
      </span>
    </div>
  );
}

interface PickerProps {
  readonly hosts: readonly HostSummary[];
  readonly name: string;
  /** Since the list was opened last. */
  readonly appeared: readonly HostSummary[];
  readonly onOpen: () => void;
}

function Picker({ hosts, name, appeared, onOpen }: PickerProps) {
  const { replica, connection } = useApp();
  const list = useRef<HTMLUListElement>(null);
  const opened = useEffectEvent(onOpen);
  const [filter, setFilter] = useState('');
  const shown = hosts.filter((host) => printable(host.name).toLowerCase().includes(filter.trim().toLowerCase()));

  const choose = (id: string): void => {
    const root = list.current?.closest('details');
    if (root) root.open = false;
    root?.querySelector('summary')?.focus();
    if (id !== replica.host?.id) showHost(connection, id);
  };
  useEffect(() => {
    const root = list.current?.closest('details');
    const onToggle = (): void => {
      if (!root?.open) return;
      setFilter('');
      opened();
      root.querySelector<HTMLElement>('input, [aria-current="true"]')?.focus();
    };
    root?.addEventListener('toggle', onToggle);
    return () => root?.removeEventListener('toggle', onToggle);
  }, []);

  return (
    <Popover
      className="menu"
      title={`Host: ${name}. Choose another of ${hosts.length}`}
      testId="host-button"
      summary={
        <>
          <span className="visually-hidden">Host</span>
          <span className="host-name">{name}</span>
          <span className="badge" aria-hidden="true">
            {hosts.length}
          </span>
          {appeared.length > 0 && (
            <span className="badge is-new" data-testid="hosts-new" title={namesOf(appeared)}>
              {appeared.length} new
            </span>
          )}
          <ChevronDown size={14} aria-hidden="true" />
        </>
      }
    >
      {hosts.length > MANY && (
        <input
          type="text"
          className="host-filter"
          aria-label="Find a host by a part of its name"
          placeholder={`Find among ${hosts.length} hosts`}
          maxLength={64}
          spellCheck={false}
          autoComplete="off"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            const [only] = shown;
            if (event.key === 'Enter' && only !== undefined) {
              event.preventDefault(); // or it would open the list again, where the focus goes
              choose(only.id);
            }
            if (event.key === 'ArrowDown') move(event, list.current);
          }}
        />
      )}
      <ul ref={list} aria-label="Hosts" onKeyDown={(event) => move(event, list.current)}>
        {shown.map((host) => (
          <Choice key={host.id} host={host} isShown={host.id === replica.host?.id} onChoose={choose} />
        ))}
      </ul>
      {shown.length === 0 && <p className="hint">No host is called that.</p>}
      <button
        type="button"
        className="host-all"
        onClick={() => {
          const root = list.current?.closest('details');
          if (root) root.open = false;
          view.openHosts();
        }}
      >
        All hosts, with their state <kbd>H</kbd>
      </button>
    </Popover>
  );
}

interface ChoiceProps {
  readonly host: HostSummary;
  readonly isShown: boolean;
  readonly onChoose: (id: string) => void;
}

function Choice({ host, isShown, onChoose }: ChoiceProps) {
  const state = stateOf(host);
  return (
    <li>
      <button
        type="button"
        className="host-choice"
        data-testid="host-choice"
        aria-current={isShown}
        onClick={() => onChoose(host.id)}
      >
        <span className={`dot is-${state}`} aria-hidden="true" />
        <span className="host-choice-name">{printable(host.name)}</span>
        <span className="host-choice-source">{printable(host.source)}</span>
        <span className="host-choice-state">{state}</span>
      </button>
    </li>
  );
}

function stateOf({ state, isLive }: HostSummary): string {
  if (state === 'failed' || state === 'starting') return state;
  return isLive && state === 'running' ? 'live' : 'recorded';
}

function idsOf(hosts: readonly HostSummary[]): ReadonlySet<string> {
  return new Set(hosts.map(({ id }) => id));
}

function namesOf(hosts: readonly HostSummary[]): string {
  const names = hosts.slice(0, MANY).map(({ name }) => printable(name));
  return hosts.length > MANY ? `${names.join(', ')} and more` : names.join(', ');
}

/** From one choice to the next by arrow, to the ends by Home and End. */
function move(event: KeyboardEvent, list: HTMLElement | null): void {
  const choices = [...(list?.querySelectorAll<HTMLElement>('button') ?? [])];
  const at = choices.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: choices.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  choices[Math.max(0, Math.min(choices.length - 1, to))]?.focus();
}
