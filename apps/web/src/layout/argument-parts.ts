// The arguments of a command as the panel lists them. A source that could not
// read all of them says so in one more argument; it is no part of the command.

export interface ArgumentParts {
  readonly argv: readonly string[];
  /** What is missing at the end, a sentence; undefined where nothing is. */
  readonly cut: string | undefined;
}

const CUT = /^… \(cut: the command line (?:has (\d{1,12}) bytes|is longer)\)$/;

export function argumentParts(argv: readonly string[]): ArgumentParts {
  const mark = CUT.exec(argv.at(-1) ?? '');
  if (mark === null) return { argv, cut: undefined };
  const [, bytes] = mark;
  const length = bytes === undefined ? 'it is longer' : `all of it has ${Number(bytes).toLocaleString('en')} bytes`;
  return { argv: argv.slice(0, -1), cut: `The source could not read the rest of the command line: ${length}.` };
}
