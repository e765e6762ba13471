import { expect, test, vi } from 'vitest';
import { readConfig } from './config.ts';

const IS_ROOT = process.geteuid?.() === 0;
const historyOf = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const config = readConfig(args, env, '0.0.0');
  return config?.command === 'serve' ? config.history : undefined;
};

test.each([[[]], [['run']], [['tree']], [['record']], [['doctor']]])('the help of %j is printed', (command) => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const config = readConfig([...command, '--help'], {}, '0.0.0');
  const text = write.mock.calls.join('');
  write.mockRestore();
  expect(config).toBeUndefined();
  expect(text).toMatch(/^Usage: dendro/);
  expect(text).not.toMatch(/default: (false|\[\])/);
  if (command.length === 0)
    expect(text).toMatch(/--keep <time> [^-]*\(default:\s7d\).*--max-size <size> [^-]*\(default:\s+10GB\)/s);
});

test('a history is kept of live sources of this host, unless it is switched off', () => {
  expect(historyOf([], { XDG_STATE_HOME: '/state' })).toEqual({
    directory: '/state/dendro',
    isDefault: true,
    maxAgeNs: 7n * 86_400_000_000_000n,
    maxBytes: 10e9,
  });
  const home = IS_ROOT ? '/var/lib/dendro' : expect.stringMatching(/\/\.local\/state\/dendro$/);
  expect(historyOf(['--source', 'procfs'])).toMatchObject({ directory: home });
  // What the specification of such variables calls invalid.
  expect(historyOf([], { XDG_STATE_HOME: 'state' })).toMatchObject({ directory: home });
  expect(historyOf(['--no-history'])).toBeUndefined();
  for (const source of ['none', 'tracee:-', 'tracee:file', 'tracee-grpc:unix:/run/tracee', 'replay:file', 'audit:-']) {
    expect(historyOf(['--source', source]), source).toBeUndefined();
  }
  expect(historyOf(['run', '--', 'true'])).toBeUndefined();
  const named = ['--source', 'none', '--data-dir', '/data', '--keep', '36h', '--max-size', '1.5GB'];
  expect(historyOf(named)).toEqual({
    directory: '/data',
    isDefault: false,
    maxAgeNs: 36n * 3_600_000_000_000n,
    maxBytes: 1.5e9,
  });
});

test.each([
  [['--no-history', '--data-dir', '/data'], 'not both'],
  [['--data-dir', '/data', '--source', 'replay:file'], 'leave it out with --source replay:file'],
  [['--keep', '7'], 'It must be a number and s, m, h or d'],
  [['--keep', '0d'], 'It must be a number and s, m, h or d'],
  [['--max-size', '10'], 'MB, GB or TB'],
  [['--max-size', '1MB'], 'at least 20MB'],
])('%j is refused', (args, sentence) => {
  expect(() => historyOf(args)).toThrow(sentence);
});
