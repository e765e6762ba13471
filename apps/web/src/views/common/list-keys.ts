// A list whose rows are buttons: from one to the next by arrow, to the ends by Home and End.

import type { KeyboardEvent } from 'react';

/** @param selector of the buttons in `list` */
export function moveInList(event: KeyboardEvent, list: HTMLElement | null, selector: string): void {
  const buttons = [...(list?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
}
