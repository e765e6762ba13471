// Tracee's output as a source: a file of NDJSON, a named pipe, or standard input.

import { HostFilter } from '../input/host-filter.ts';
import { type TextFormat, TextSource } from '../input/text-source.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

export interface TraceeSourceOptions {
  /** Which host's events are taken. */
  readonly hosts?: HostFilter | undefined;
}

export class TraceeSource extends TextSource {
  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string, { hosts = new HostFilter() }: TraceeSourceOptions = {}) {
    super(target, formatOf(hosts));
  }
}

function formatOf(hosts: HostFilter): TextFormat {
  return {
    kind: 'tracee',
    what: 'Events of Tracee, one JSON object a line',
    wanted: "a file with Tracee's JSON lines",
    decode: (sink) => new TraceeDecoder(sink, { hosts }),
  };
}
