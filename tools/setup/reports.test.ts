import { expect, test } from 'vitest';
import { countPlaywright, countVitest } from './reports.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

const vitestReport = (testResults: ReturnType<typeof file>[], passed: number, failed: number) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 1,
  numTodoTests: 2,
  testResults,
});

test('passed, failed and skipped tests are those of the report', () => {
  const report = vitestReport([file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')], 3, 1);
  expect(countVitest(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 3 });
});

test('a test file that cannot be loaded is a failure of its own', () => {
  const report = vitestReport([file('passed', 'passed'), file('failed')], 1, 0);
  expect(countVitest(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 3 });
});

test('a runner that fails without a failed test counts as one failure', () => {
  expect(countVitest(vitestReport([file('passed', 'passed')], 1, 0), 1)).toMatchObject({ passed: 1, failed: 1 });
  expect(countPlaywright({ stats: { expected: 4, unexpected: 0, flaky: 0, skipped: 0 }, errors: [] }, 1)).toEqual({
    passed: 4,
    failed: 1,
    skipped: 0,
  });
});

test('a runner that crashed before its report counts as one failure, also when it claims success', () => {
  for (const status of [0, 1, 139]) {
    expect(countVitest(undefined, status)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countPlaywright(undefined, status)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  }
});

test('a run without any test is a failure', () => {
  const report = { ...vitestReport([], 0, 0), numPendingTests: 0, numTodoTests: 0 };
  expect(countVitest(report, 0).failed).toBe(1);
});

test('errors outside of browser tests count, and a test that passed at the second try passed', () => {
  const report = { stats: { expected: 5, unexpected: 2, flaky: 1, skipped: 3 }, errors: [{ message: 'no server' }] };
  expect(countPlaywright(report, 1)).toEqual({ passed: 6, failed: 3, skipped: 3 });
});
