import { expect, test } from 'vitest';
import { countPlaywright, countVitest } from './reports.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  name: 'some.test.ts',
  message: status === 'failed' ? '\u001b[31mno such module\u001b[39m\n  at line 1' : '',
  assertionResults: tests.map((one) => ({
    status: one,
    fullName: `a ${one} test`,
    failureMessages: one === 'failed' ? ['a reason\n  at line 2'] : [],
  })),
});

const vitestReport = (testResults: ReturnType<typeof file>[], passed: number, failed: number) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  testResults,
});

const playwrightReport = (expected: number, unexpected = 0, flaky = 0, errors: { message: string }[] = []) => ({
  stats: { expected, unexpected, flaky },
  errors,
  suites: [],
});

test('passed, failed and skipped tests are those of the report', () => {
  const report = vitestReport(
    [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'passed', 'failed', 'todo')],
    3,
    1,
  );
  expect(countVitest(report, 1)).toEqual({
    passed: 3,
    failed: 1,
    skipped: ['a skipped test', 'a todo test'],
    failures: ['a failed test: a reason'],
  });
});

test('a test file that cannot be loaded is a failure of its own', () => {
  const report = vitestReport([file('passed', 'passed'), file('failed')], 1, 0);
  expect(countVitest(report, 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: [],
    failures: ['some.test.ts: no such module'],
  });
});

test('a runner that fails without a failed test counts as one failure', () => {
  expect(countVitest(vitestReport([file('passed', 'passed')], 1, 0), 1)).toMatchObject({ passed: 1, failed: 1 });
  expect(countPlaywright(playwrightReport(4), 1)).toEqual({ passed: 4, failed: 1, skipped: [], failures: [] });
});

test('a runner that crashed before its report counts as one failure, also when it claims success', () => {
  for (const status of [0, 1, 139]) {
    expect(countVitest(undefined, status)).toEqual({ passed: 0, failed: 1, skipped: [], failures: [] });
    expect(countPlaywright(undefined, status)).toEqual({ passed: 0, failed: 1, skipped: [], failures: [] });
  }
});

test('a run without any test is a failure', () => {
  expect(countVitest(vitestReport([], 0, 0), 0).failed).toBe(1);
  expect(countPlaywright(playwrightReport(0), 0).failed).toBe(1);
});

test('errors outside of browser tests count, and a test that passed at the second try passed', () => {
  const report = playwrightReport(5, 2, 1, [{ message: 'no server' }]);
  expect(countPlaywright(report, 1)).toEqual({
    passed: 6,
    failed: 3,
    skipped: [],
    failures: ['outside of any test: no server'],
  });
});

test('skipped and failed browser tests are found at any depth, with the reason that they give', () => {
  const spec = (title: string, status: string, description?: string) => ({
    title,
    tests: [
      {
        status,
        annotations: status === 'skipped' && description !== undefined ? [{ type: 'skip', description }] : [],
        results: status === 'unexpected' ? [{ error: { message: description ?? '' } }] : [],
      },
    ],
  });
  const report = {
    ...playwrightReport(1, 1),
    suites: [
      {
        specs: [spec('runs', 'expected')],
        suites: [{ specs: [spec('waits', 'skipped', 'not root'), spec('breaks', 'unexpected', 'no row\nat line 3')] }],
      },
    ],
  };
  expect(countPlaywright(report, 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: ['waits (not root)'],
    failures: ['breaks: no row'],
  });
});
