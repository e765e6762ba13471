// One field to find and to filter, for commands (>) and to go somewhere (@): a
// combobox as the ARIA Authoring Practices describe it.

import { ChevronDown, ChevronUp, Funnel, Search, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { count } from '../../layout/format.ts';
import { MAX_QUERY } from '../../query/parse-query.ts';
import { isFiltered, useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { fetchAhead } from '../common/lazy-part.tsx';
import { firstMatch, placeOfSelected, stepMatch } from '../tree/step-match.ts';
import type { TreeRows } from '../tree/tree-rows.ts';
import { OMNIBOX_LIST, OmniboxList, optionId } from './omnibox-list.tsx';
import type { Offer, Option } from './options.ts';

type Offers = typeof import('./options.ts');

const NO_OFFER: Offer = { options: [], isFirstMeant: false };
const NOT_LOADED: Offer = { ...NO_OFFER, note: 'What could be written here could not be loaded: is the server there?' };

/** What there is to offer is not needed for the first rows. */
let offers: Offers | undefined;
async function loadOffers(): Promise<Offers> {
  offers = await import('./options.ts');
  return offers;
}
fetchAhead(loadOffers);

export function Omnibox({ treeRows }: { readonly treeRows: TreeRows }) {
  const app = useApp();
  const query = useView((state) => state.query);
  const command = useView((state) => state.command);
  const problem = useView((state) => state.problem);
  const list = useView((state) => state.list);
  const input = useRef<HTMLInputElement>(null);
  const caret = useRef<number>(undefined); // to be put there once the text is
  const offered = useRef(''); // what the offer was made for
  const isMatchWanted = useRef(false);
  const [offer, setOffer] = useState<Offer>();
  const [active, setActive] = useState(-1);
  const text = command ?? query;

  const offerAt = (text: string, caret: number): void => {
    offered.current = text;
    if (offers !== undefined) {
      show(offers.offerFor(text, caret, treeRows, app));
      return;
    }
    const isStillWanted = (): boolean => offered.current === text && document.activeElement === input.current;
    loadOffers().then(
      ({ offerFor }) => isStillWanted() && show(offerFor(text, caret, treeRows, app)),
      () => isStillWanted() && show(NOT_LOADED),
    );
  };
  const show = (next: Offer): void => {
    setOffer(next);
    setActive(next.isFirstMeant && next.options.length > 0 ? 0 : -1);
  };
  const write = (text: string, at: number): void => {
    if (text.startsWith('>') || text.startsWith('@')) view.command(text);
    else {
      view.command(undefined);
      view.setQuery(text);
    }
    offerAt(text, at);
  };
  const close = (): void => {
    setOffer(undefined);
    setActive(-1);
  };
  const choose = (option: Option): void => {
    if (option.write !== undefined) {
      caret.current = option.write.caret;
      write(option.write.text, option.write.caret);
      return;
    }
    close();
    view.command(undefined);
    toGrid();
    option.run?.();
  };
  const chooseMeant = ({ isFirstMeant, options: [first] }: Offer): void => {
    if (isFirstMeant && first !== undefined) choose(first);
  };
  /** As soon as the rows are those of what was asked: it can have been asked this very moment. */
  const goToMatch = (): void => {
    if (!isMatchWanted.current || treeRows.asked !== useView.getState().asked) return;
    isMatchWanted.current = false;
    firstMatch(treeRows);
  };
  useEffect(goToMatch);
  const submit = (): void => {
    if (command !== undefined) {
      // What is meant by it is not known before there is something to offer.
      if (offers === undefined)
        void loadOffers().then(
          ({ offerFor }) => chooseMeant(offerFor(command, command.length, treeRows, app)),
          () => setOffer(NOT_LOADED),
        );
      return;
    }
    if (useView.getState().problem !== undefined) return;
    close();
    if (query.trim() !== '') view.remember(query.trim());
    toGrid();
    isMatchWanted.current = !isFiltered();
    goToMatch();
  };

  useLayoutEffect(() => {
    if (caret.current === undefined) return;
    input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });
  useEffect(() => {
    // A command can be begun elsewhere: by a key, or by another command. It can have ended since this was drawn.
    if (command === undefined || useView.getState().command === undefined) return;
    if (document.activeElement !== input.current) input.current?.focus();
    else if (offered.current !== command) offerAt(command, command.length);
  });

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const options = offer?.options ?? [];
    const chosen = options[active];
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        if (offer === undefined) {
          if (event.key === 'ArrowDown') toGrid();
          break;
        }
        const down = event.key === 'ArrowDown';
        // Past either end is the text itself.
        const next = active + (down ? 1 : -1);
        setActive(next < -1 ? options.length - 1 : next >= options.length ? -1 : next);
        break;
      }
      case 'Enter':
        if (event.nativeEvent.isComposing) return;
        if (event.altKey && command === undefined) {
          close();
          view.openSearch();
        } else if (event.shiftKey && command === undefined) {
          close();
          view.setOnlyFound(!useView.getState().onlyFound);
          toGrid();
        } else if (chosen !== undefined) choose(chosen);
        else submit();
        break;
      case 'Tab':
        if (chosen === undefined || event.shiftKey) return;
        choose(chosen);
        break;
      case 'Escape':
        close();
        if (command !== undefined) view.command(undefined);
        else {
          view.clearQuery();
          toGrid();
        }
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const isOpen = offer !== undefined;
  const isWrong = problem !== undefined && command === undefined;
  return (
    <search
      className={isOpen || text !== '' ? 'omnibox is-used' : 'omnibox'}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          close();
          view.command(undefined);
        }
      }}
    >
      <div className={isWrong ? 'omnibox-field is-wrong' : 'omnibox-field'}>
        <Search size={14} aria-hidden="true" />
        <input
          ref={input}
          type="text"
          data-testid="filter"
          role="combobox"
          aria-label="Find, filter, command"
          aria-expanded={isOpen}
          aria-controls={OMNIBOX_LIST}
          aria-autocomplete="list"
          aria-activedescendant={active >= 0 ? optionId(active) : undefined}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'omnibox-problem' : undefined}
          placeholder="Find, or filter: user:root age:<5m"
          maxLength={MAX_QUERY}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          value={text}
          onFocus={(event) => offerAt(text, event.currentTarget.selectionStart ?? text.length)}
          onChange={({ target }) => write(target.value, target.selectionStart ?? target.value.length)}
          onKeyDown={onKeyDown}
        />
        {command === undefined && list !== 'search' && <Matches treeRows={treeRows} />}
        {text === '' ? (
          <kbd title="Ctrl+K for commands">/</kbd>
        ) : (
          <IconButton
            label="Clear (Esc)"
            onClick={() => {
              view.command(undefined);
              view.clearQuery();
              toGrid();
            }}
          >
            <X size={14} aria-hidden="true" />
          </IconButton>
        )}
      </div>
      {(isOpen || isWrong) && (
        <OmniboxList
          offer={offer ?? NO_OFFER}
          problem={isWrong ? problem : undefined}
          text={text}
          isOpen={isOpen}
          active={active}
          choose={choose}
        />
      )}
    </search>
  );
}

/** How many were found and which of them is selected; on to the next; and to see them alone. */
function Matches({ treeRows }: { readonly treeRows: TreeRows }) {
  const selected = useView((state) => state.selected);
  const isFiltering = useView(isFiltered);
  const { found, asked } = treeRows;
  if (found === undefined || asked === undefined) return null;
  const place = placeOfSelected(treeRows, selected);
  return (
    <>
      <span className="matches" role="status">
        {place === undefined ? count(found.count) : `${count(place)} of ${count(found.count)}`}
        <span className="matches-word">{found.count === 1 ? ' match' : ' matches'}</span>
      </span>
      <span className="match-tools">
        <IconButton label="Previous match (N)" onClick={() => stepMatch(treeRows, -1)}>
          <ChevronUp size={14} aria-hidden="true" />
        </IconButton>
        <IconButton label="Next match (n)" onClick={() => stepMatch(treeRows, 1)}>
          <ChevronDown size={14} aria-hidden="true" />
        </IconButton>
        <button
          type="button"
          className="icon-button"
          aria-label="Show only what matches (Shift+Enter)"
          title={asked.isFilter ? 'Fields filter: only what matches is shown' : 'Show only what matches (Shift+Enter)'}
          aria-pressed={isFiltering}
          disabled={asked.isFilter}
          onClick={() => view.setOnlyFound(!isFiltering)}
        >
          <Funnel size={14} aria-hidden="true" />
        </button>
      </span>
    </>
  );
}

function toGrid(): void {
  const grid = document.querySelector<HTMLElement>('[role="treegrid"], .list-table .row-open');
  if (grid !== null) grid.focus({ preventScroll: true });
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
