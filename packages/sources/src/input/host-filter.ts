// An audit log can hold the events of many hosts, and its tree is of one: that of
// the first event, or the one that was asked for. Events of others are left out.

const MAX_NAMES = 1000;
const MAX_SHOWN = 8;
/** No host has such a name, and keeping it would cost more than it says. */
const MAX_KEPT = 64;
const TOO_LONG = 'one-with-too-long-a-name';

export class HostFilter {
  readonly #wanted: string | undefined;
  #first: string | undefined;
  readonly #others = new Set<string>();
  #unnamed = 0;

  /** @param wanted the host whose events are taken; otherwise that of the first one */
  constructor(wanted?: string) {
    this.#wanted = wanted;
  }

  /** The host that the events are of, as soon as one of them has said it. */
  get name(): string | undefined {
    return this.#first === undefined ? undefined : (this.#wanted ?? this.#first);
  }

  takes(name: string | undefined): boolean {
    if (name === undefined || name === '') {
      this.#unnamed++;
      return true;
    }
    if (name === this.#first) return true;
    if (this.#first === undefined && (this.#wanted === undefined || name === this.#wanted)) {
      this.#first = name;
      return true;
    }
    if (this.#others.size < MAX_NAMES) this.#others.add(name.length <= MAX_KEPT ? name : TOO_LONG);
    return false;
  }

  /** For people. */
  get notices(): string[] {
    const notices: string[] = [];
    if (this.#others.size > 0) notices.push(this.#aboutOthers);
    if (this.#wanted !== undefined && this.#unnamed > 0) {
      notices.push(`${this.#unnamed} events do not say which host they are of, and were taken with the others.`);
    }
    return notices;
  }

  get #aboutOthers(): string {
    const names = [...this.#others].slice(0, MAX_SHOWN).map(plain).join(', ');
    const more = this.#others.size > MAX_SHOWN ? ' and more' : '';
    if (this.#first === undefined) {
      return `No event is of the host ${plain(this.#wanted ?? '')}: --host-from can be ${names}${more}.`;
    }
    const atLeast = this.#others.size < MAX_NAMES ? '' : 'at least ';
    return (
      `The feed has events of ${atLeast}${this.#others.size + 1} hosts: the tree is that of ${plain(this.name ?? '')}, ` +
      `the others are rejected as other-host. Another is shown with --host-from NAME: ${names}${more}.`
    );
  }
}

/** What a host cannot be called is no text for a terminal. */
function plain(name: string): string {
  return name.slice(0, MAX_KEPT).replace(/[^\x21-\x7e]/g, '?');
}
