// Tracee's output as a source: a file of NDJSON, a named pipe, or standard input.

import { isNamedPipe, STDIN } from '../input/open-input.ts';
import { type TextFormat, TextSource } from '../input/text-source.ts';
import { HostSplit } from './host-split.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

export interface TraceeSourceOptions {
  /** Which host an event is of. */
  readonly hosts?: HostSplit | undefined;
}

export class TraceeSource extends TextSource {
  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string, { hosts = new HostSplit() }: TraceeSourceOptions = {}) {
    super(target, formatOf(hosts, target === STDIN || isNamedPipe(target)));
  }
}

function formatOf(hosts: HostSplit, isLive: boolean): TextFormat {
  return {
    kind: 'tracee',
    what: 'Events of Tracee, one JSON object a line',
    wanted: "a file with Tracee's JSON lines",
    decode: (sink) => new TraceeDecoder(sink, { hosts, latest: isLive ? Number.POSITIVE_INFINITY : undefined }),
  };
}
