// Finds what a TypeScript file imports, by its tokens.
//
// Type-only imports vanish when types are stripped and yet make two files depend on each
// other, so the text itself is read. Comments, strings, templates and regular expressions
// are told apart; JSX text is not, which is harmless: an import has a shape that prose has not.

export interface ImportFound {
  /** What stands between the quotes; undefined where it is computed. */
  readonly specifier: string | undefined;
  /** `url` is `new URL('…', import.meta.url)`: a worker or an asset, loaded apart. */
  readonly kind: 'static' | 'dynamic' | 'url';
  readonly line: number;
}

interface Token {
  readonly kind: 'word' | 'string' | 'punctuation';
  readonly text: string;
  readonly line: number;
}

export function findImports(source: string): ImportFound[] {
  const tokens = [...tokenize(source)];
  const found: ImportFound[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.kind !== 'word' || isPunctuation(tokens[i - 1], '.')) continue;
    const next = tokens[i + 1];
    if (token.text === 'import' || token.text === 'require') {
      if (isPunctuation(next, '(')) {
        const argument = tokens[i + 2];
        const isLiteral = argument?.kind === 'string';
        if (token.text === 'require' && !isLiteral) continue; // some function of that name
        found.push({ specifier: isLiteral ? argument.text : undefined, kind: 'dynamic', line: token.line });
      } else if (token.text === 'import') {
        const specifier = specifierOfClause(tokens, i + 1);
        if (specifier !== undefined) found.push({ specifier, kind: 'static', line: token.line });
      }
    } else if (token.text === 'export') {
      const start = next?.kind === 'word' && next.text === 'type' ? i + 2 : i + 1;
      if (!isPunctuation(tokens[start], '{') && !isPunctuation(tokens[start], '*')) continue;
      const specifier = specifierOfClause(tokens, start);
      if (specifier !== undefined) found.push({ specifier, kind: 'static', line: token.line });
    } else if (token.text === 'URL' && isPunctuation(next, '(') && isPunctuation(tokens[i + 3], ',')) {
      const argument = tokens[i + 2];
      const isOfThisFile = tokens[i + 4]?.text === 'import' && tokens[i + 6]?.text === 'meta';
      if (argument?.kind === 'string' && isOfThisFile) {
        found.push({ specifier: argument.text, kind: 'url', line: token.line });
      }
    }
  }
  return found;
}

/** The string that ends `a, { b as c } from '…'`, `* as d from '…'` or is `'…'` alone. */
function specifierOfClause(tokens: readonly Token[], start: number): string | undefined {
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) return undefined;
    if (token.kind === 'string') {
      if (i === start || tokens[i - 1]?.text === 'from') return token.text;
      // `import { 'a name' as b }`: an export may be named by a string
    } else if (token.kind === 'punctuation' && !'{},*'.includes(token.text)) {
      return undefined;
    }
  }
  return undefined;
}

function isPunctuation(token: Token | undefined, text: string): boolean {
  return token?.kind === 'punctuation' && token.text === text;
}

// Where an expression ends, a slash divides; elsewhere it begins a regular expression.
// After `<` it closes a JSX element.
const WORDS_BEFORE_REGEX = /^(return|typeof|case|in|of|new|delete|void|throw|do|else|await|yield|instanceof)$/;

function* tokenize(source: string): Generator<Token> {
  let line = 1;
  let at = 0;
  /** For each template being read, how many braces are open in its `${}`. */
  const templates: number[] = [];
  let last: Token | undefined;

  while (at < source.length) {
    const char = source[at] as string;
    if (char === '\n') {
      line++;
      at++;
    } else if (/\s/.test(char)) {
      at++;
    } else if (source.startsWith('//', at)) {
      at = endOr(source.indexOf('\n', at), source);
    } else if (source.startsWith('/*', at)) {
      const end = endOr(source.indexOf('*/', at + 2), source);
      line += countLines(source, at, end);
      at = end + 2;
    } else if (char === '"' || char === "'") {
      const end = endOfString(source, at);
      if (end === undefined) {
        at++; // an apostrophe in JSX text
        continue;
      }
      last = { kind: 'string', text: source.slice(at + 1, end), line };
      yield last;
      at = end + 1;
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop();
      const end = endOfTemplateText(source, at + 1);
      line += countLines(source, at, end);
      if (source[end] === '$') {
        templates.push(0);
        at = end + 2;
        last = { kind: 'punctuation', text: '(', line };
      } else {
        at = end + 1;
        last = { kind: 'punctuation', text: ')', line };
      }
      yield last;
    } else if (/[\w$\u0080-\uffff#@]/.test(char)) {
      const word = /^[\w$\u0080-\uffff#@]+/.exec(source.slice(at, at + 300))?.[0] ?? char;
      last = { kind: 'word', text: word, line };
      yield last;
      at += word.length;
    } else if (char === '/' && canBeginRegex(last)) {
      const end = endOfRegex(source, at);
      if (end === undefined) at++;
      else {
        last = { kind: 'punctuation', text: ')', line };
        yield last;
        at = end + 1;
      }
    } else {
      const open = templates.length - 1;
      if (open >= 0 && char === '{') templates[open] = (templates[open] ?? 0) + 1;
      if (open >= 0 && char === '}') templates[open] = (templates[open] ?? 0) - 1;
      last = { kind: 'punctuation', text: char, line };
      yield last;
      at++;
    }
  }
}

function canBeginRegex(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === 'word') return WORDS_BEFORE_REGEX.test(last.text);
  return last.kind === 'punctuation' && !')]<'.includes(last.text);
}

/** @returns index of the closing quote; undefined when the line ends first */
function endOfString(source: string, start: number): number | undefined {
  const quote = source[start];
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === quote) return at;
    else if (source[at] === '\n') return undefined;
  }
  return undefined;
}

/** @returns index of the closing backtick or of the `${` that comes first */
function endOfTemplateText(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`' || source.startsWith('${', at)) return at;
  }
  return source.length;
}

/** @returns index of the closing slash; undefined when the line ends first */
function endOfRegex(source: string, start: number): number | undefined {
  let isInClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at];
    if (char === '\\') at++;
    else if (char === '\n') return undefined;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) return at;
  }
  return undefined;
}

function endOr(index: number, source: string): number {
  return index < 0 ? source.length : index;
}

function countLines(source: string, from: number, to: number): number {
  let lines = 0;
  for (let at = from; at < to; at++) if (source[at] === '\n') lines++;
  return lines;
}
