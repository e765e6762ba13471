// Puts the records of one event together. They have time and serial in common,
// come in any order and between those of other events, and an EOE record says
// that there are no more, where nobody has filtered that out.
//
// So an event is whole at its EOE, or when two seconds of the log have passed
// since its last record (as auditd's own tools have it), or when too much waits.

import type { AuditRecord, Fields } from './record.ts';

export interface AuditEvent {
  readonly epochMs: number;
  readonly serial: number;
  readonly syscall: Fields | undefined;
  readonly abend: Fields | undefined;
  readonly execve: readonly Fields[];
  readonly cwd: Fields | undefined;
  readonly paths: readonly Fields[];
  readonly proctitle: Fields | undefined;
}

interface Waiting {
  readonly records: AuditRecord[];
  sizeBytes: number;
  /** When the newest record of all is later than that, no more comes. */
  untilMs: number;
}

const PATIENCE_MS = 2000;
const MAX_EVENTS = 4096;
const MAX_BYTES = 32 * 1024 * 1024;

export class EventJoin {
  readonly #whole: (event: AuditEvent) => void;
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;
  #newestMs = 0;

  /** @param whole gets each event once */
  constructor(whole: (event: AuditEvent) => void) {
    this.#whole = whole;
  }

  add(record: AuditRecord): void {
    const key = `${record.epochMs}:${record.serial}`;
    this.#newestMs = Math.max(this.#newestMs, record.epochMs);
    const waiting = this.#waiting.get(key);
    if (record.type === 'EOE') {
      if (waiting !== undefined) this.#close(key, waiting);
    } else if (waiting === undefined) this.#open(key, record);
    else {
      waiting.records.push(record);
      waiting.sizeBytes += record.sizeBytes;
      this.#bytes += record.sizeBytes;
      waiting.untilMs = this.#newestMs + PATIENCE_MS;
    }
    this.#closeOld();
  }

  /** No more comes. */
  end(): void {
    for (const [key, waiting] of this.#waiting) this.#close(key, waiting);
  }

  #open(key: string, record: AuditRecord): void {
    const { sizeBytes } = record;
    this.#waiting.set(key, { records: [record], sizeBytes, untilMs: this.#newestMs + PATIENCE_MS });
    this.#bytes += sizeBytes;
  }

  #closeOld(): void {
    for (const [key, waiting] of this.#waiting) {
      const isTooMuch = this.#waiting.size > MAX_EVENTS || this.#bytes > MAX_BYTES;
      if (!isTooMuch && waiting.untilMs >= this.#newestMs) return;
      this.#close(key, waiting);
    }
  }

  #close(key: string, { records, sizeBytes }: Waiting): void {
    this.#waiting.delete(key);
    this.#bytes -= sizeBytes;
    const [first] = records;
    if (first === undefined) return;
    const of = (type: string) => records.filter((record) => record.type === type).map(({ fields }) => fields);
    this.#whole({
      epochMs: first.epochMs,
      serial: first.serial,
      syscall: of('SYSCALL')[0],
      abend: of('ANOM_ABEND')[0],
      execve: of('EXECVE'),
      cwd: of('CWD')[0],
      paths: of('PATH'),
      proctitle: of('PROCTITLE')[0],
    });
  }
}
