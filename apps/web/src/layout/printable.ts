// Names of processes and arguments are hostile text: a line break could forge a
// second row, a bidi override could turn a name round. What cannot be seen is
// written out.

// Controls of lines, of direction and of shape, lone surrogates, all that is drawn as nothing, and every blank but the usual one.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}\u2800]|(?! )\p{Zs}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** Text in which every character can be seen; `\n` and `\u{202e}` stand for those that could not. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (unseen) => SHORT[unseen] ?? `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The name of a process: also blanks around it, which would make it pass for another or for none. */
export function printableName(comm: string): string {
  return printable(comm).replace(/^ +| +$/g, (blanks) => '\\u{20}'.repeat(blanks.length));
}

/** A command line as one would type it: arguments with blanks or nothing in them are quoted. */
export function commandLine(argv: readonly string[]): string {
  // A title that a process has written over its arguments.
  if (argv.length === 1) return printable(argv[0] ?? '');
  return argv
    .map((argument) => (/^[^\s"'\\]+$/.test(argument) ? argument : `"${argument.replace(/["\\]/g, '\\$&')}"`))
    .map(printable)
    .join(' ');
}

/**
 * A command line that a shell reads back as these arguments. Nothing in it acts on a terminal that it is pasted into.
 */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}

function shellWord(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (argument.search(UNSEEN) < 0) return `'${argument.replaceAll("'", "'\\''")}'`;
  const escaped = argument
    .replace(/['\\]/g, '\\$&')
    .replace(UNSEEN, (unseen) => SHORT[unseen] ?? `\\U${(unseen.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`);
  return `$'${escaped}'`;
}
