import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine, printable, printableName, shellCommand } from './printable.ts';

test('what cannot be seen is written out', () => {
  expect(printable('a\nb\tc\r\u001b[31m')).toBe('a\\nb\\tc\\r\\e[31m');
  expect(printable('\u202egnp.exe')).toBe('\\u{202e}gnp.exe');
  expect(printable('a\u200bb\ufeff\u0000\ud800')).toBe('a\\u{200b}b\\u{feff}\\u{0}\\u{d800}');
});

test('what is drawn as nothing, or as a blank that is none, is written out', () => {
  expect(printable('bash\u3164 x\u00a0y\u2800')).toBe('bash\\u{3164} x\\u{a0}y\\u{2800}');
  expect(printable('a\ufe0f\u{e0061}')).toBe('a\\u{fe0f}\\u{e0061}');
});

test('blanks around a name are seen, so that it is not taken for another one', () => {
  expect(printableName('bash ')).toBe('bash\\u{20}');
  expect(printableName('  ')).toBe('\\u{20}\\u{20}');
  expect(printableName(' a b')).toBe('\\u{20}a b');
  expect(printableName('tmux: server')).toBe('tmux: server');
});

test('what can be seen stays as it is', () => {
  for (const text of ['sshd: root@pts/0', 'naïve Ünïcödé 名前 🌳', '<b>&amp;</b>', ''])
    expect(printable(text)).toBe(text);
});

test('no text at all gives a line break, a control or a bidi override', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
    }),
  );
});

test('arguments are told apart by quotes where blanks would join them', () => {
  expect(commandLine(['sh', '-c', 'echo "a b"', ''])).toBe('sh -c "echo \\"a b\\"" ""');
  expect(commandLine(['ls', '-l'])).toBe('ls -l');
});

test('a title that a process has written over its arguments is shown as it is', () => {
  expect(commandLine(['nginx: worker process'])).toBe('nginx: worker process');
});

test('a copied command is one that a shell reads back, and that does nothing to a terminal', () => {
  expect(shellCommand(['ls', '-l', '/tmp/x'])).toBe('ls -l /tmp/x');
  expect(shellCommand(['sh', '-c', "echo 'a b' $HOME", ''])).toBe("sh -c 'echo '\\''a b'\\'' $HOME' ''");
  expect(shellCommand(['printf', "\u001b[2J\n'\\"])).toBe("printf $'\\e[2J\\n\\'\\\\'");
  expect(shellCommand(['\u202e'])).toBe("$'\\U0000202e'");
});
