// Reads the machine-readable reports of the test runners. Only what is in a report is
// counted; a runner that failed without saying how counts as one failure.

import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Count
 * @property {number} passed
 * @property {number} failed
 * @property {readonly string[]} skipped titles, with the reason where the runner knows one
 * @property {readonly string[]} failures titles, with the first line of what is wrong; fewer than failed where a
 *     runner does not say what
 */

/**
 * @typedef {object} VitestReport
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {readonly VitestFile[]} testResults
 *
 * @typedef {object} VitestFile
 * @property {string} status
 * @property {string} [name] its path
 * @property {string} [message] what is wrong with it
 * @property {readonly VitestTest[]} assertionResults
 *
 * @typedef {object} VitestTest
 * @property {string} status
 * @property {string} fullName
 * @property {readonly string[]} [failureMessages]
 */

const MAX_REASON_LENGTH = 200;

/**
 * @param {VitestReport | undefined} report of `vitest run --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countVitest(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: [], failures: [] }, status);
  // A file that cannot even be loaded has no failed tests, only a failed file.
  const failedFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const others = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  const failed = tests.filter((test) => test.status === 'failed');
  return withStatus(
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests + failedFiles.length,
      skipped: others.map((test) => test.fullName),
      failures: [
        ...failed.map((test) => withReason(test.fullName, test.failureMessages?.[0])),
        ...failedFiles.map((file) => withReason(file.name ?? 'a file', file.message)),
      ],
    },
    status,
  );
}

/**
 * @typedef {object} PlaywrightReport
 * @property {{ readonly expected: number, readonly unexpected: number, readonly flaky: number }} stats
 * @property {readonly { readonly message?: string }[]} errors outside of any test
 * @property {readonly PlaywrightSuite[]} suites
 *
 * @typedef {object} PlaywrightSuite
 * @property {readonly PlaywrightSuite[]} [suites]
 * @property {readonly { readonly title: string, readonly tests: readonly PlaywrightTest[] }[]} [specs]
 *
 * @typedef {object} PlaywrightTest
 * @property {string} status
 * @property {readonly { readonly type: string, readonly description?: string }[]} [annotations]
 * @property {readonly { readonly error?: { readonly message?: string } }[]} [results] of each try
 */

/**
 * @param {PlaywrightReport | undefined} report of `playwright test --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countPlaywright(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: [], failures: [] }, status);
  const { expected, unexpected, flaky } = report.stats;
  return withStatus(
    {
      passed: expected + flaky,
      failed: unexpected + report.errors.length,
      skipped: testsIn(report.suites, 'skipped').map(skippedTitle),
      failures: [
        ...testsIn(report.suites, 'unexpected').map(failureOf),
        ...report.errors.map((error) => withReason('outside of any test', error.message)),
      ],
    },
    status,
  );
}

/**
 * @typedef {{ readonly title: string, readonly test: PlaywrightTest }} TitledTest
 *
 * @param {readonly PlaywrightSuite[]} suites
 * @param {string} status
 * @returns {TitledTest[]} of any depth
 */
function testsIn(suites, status) {
  return suites.flatMap(({ suites = [], specs = [] }) => [
    ...specs.flatMap(({ title, tests }) =>
      tests.filter((test) => test.status === status).map((test) => ({ title, test })),
    ),
    ...testsIn(suites, status),
  ]);
}

/** @param {TitledTest} titled */
function skippedTitle({ title, test }) {
  const reason = test.annotations?.find((one) => one.type === 'skip' || one.type === 'fixme')?.description;
  return reason === undefined ? title : `${title} (${reason})`;
}

/** @param {TitledTest} titled */
function failureOf({ title, test }) {
  return withReason(title, test.results?.find(({ error }) => error !== undefined)?.error?.message);
}

/**
 * @param {string} title
 * @param {string | undefined} message of which the first line is told, without colours
 */
function withReason(title, message = '') {
  const [line = ''] = stripVTControlCharacters(message).trim().split('\n');
  return line === '' ? title : `${title}: ${line.slice(0, MAX_REASON_LENGTH)}`;
}

/**
 * No result at all, or a failure that no test owns up to, is one failure.
 *
 * @param {Count} count
 * @param {number} status
 * @returns {Count}
 */
function withStatus(count, status) {
  const isSilent = count.passed + count.failed + count.skipped.length === 0;
  return count.failed === 0 && (status !== 0 || isSilent) ? { ...count, failed: 1 } : count;
}
