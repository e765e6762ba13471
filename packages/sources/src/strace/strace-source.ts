// Output of `strace -f -ttt` as a source.

import { type TextFormat, TextSource } from '../input/text-source.ts';
import { StraceDecoder } from './strace-decoder.ts';

const STRACE: TextFormat = {
  kind: 'strace',
  what: 'Calls that strace saw',
  wanted: 'the output of strace -f -ttt -o FILE',
  decode: (sink, isLive) => new StraceDecoder(sink, { isLive }),
};

export class StraceSource extends TextSource {
  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string) {
    super(target, STRACE);
  }
}
