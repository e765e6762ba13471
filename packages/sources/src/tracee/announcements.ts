// Events that are of no task: what Tracee says of itself and of the containers
// that it has met. The tree has the ids of containers from the tasks in them;
// names and images it has no place for, so they are said in a notice.

import { argsOf } from './context.ts';
import { epochNs, type Json, optional, Rejection, string } from './fields.ts';

const NAMES = new Set(['tracee_info', 'existing_container', 'container_create', 'container_remove']);
const MAX_CONTAINERS = 4096;
const MAX_SHOWN = 5;
const MAX_TEXT = 80;
const MAX_KEPT = 512;
const SHORT_ID = 12;

export function isAnnouncement(name: string): boolean {
  return NAMES.has(name);
}

export class Announcements {
  /** When the host was started, which is what times of old releases count from. */
  bootEpochNs: bigint | undefined;
  /** Container id -> what it is called. */
  readonly #containers = new Map<string, string>();
  #removed = 0;
  #isFull = false;

  /** @returns the container that it is about @throws Rejection */
  take(name: string, event: Json): string | undefined {
    const args = argsOf(event);
    if (name === 'tracee_info') {
      this.bootEpochNs = optional(args.get('boot_time'), epochNs) ?? this.bootEpochNs;
      return undefined;
    }
    const id = shortText(args.get('container_id'));
    if (name === 'container_remove') {
      this.#removed++;
      return id;
    }
    const title = optional(args.get('container_name'), shortText) || id.slice(0, SHORT_ID);
    const image = optional(args.get('container_image'), shortText);
    if (this.#containers.size >= MAX_CONTAINERS && !this.#containers.has(id)) this.#isFull = true;
    else this.#containers.set(id, image ? `${title} (${image})` : title);
    return id;
  }

  /** For people. */
  get notices(): string[] {
    const { size } = this.#containers;
    if (size === 0 && this.#removed === 0) return [];
    const shown = [...this.#containers.values()].slice(0, MAX_SHOWN).map(plain).join(', ');
    const count = `${this.#isFull ? 'More than ' : ''}${size} container${size === 1 ? ' is' : 's are'} named in it`;
    const list = size === 0 ? '' : `: ${shown}${size > MAX_SHOWN ? ' and more' : ''}`;
    const removed = this.#removed === 0 ? '' : `; ${this.#removed} removed`;
    return [`${count}${list}${removed}. The tree shows their ids only.`];
  }
}

/** What is kept must not be long. */
function shortText(value: unknown): string {
  const text = string(value);
  if (text.length > MAX_KEPT) throw new Rejection('wrong-type');
  return text;
}

/** Names come from outside: control characters are no text for a terminal. */
function plain(text: string): string {
  return text.slice(0, MAX_TEXT).replace(/[^\x20-\x7e]/g, '?');
}
