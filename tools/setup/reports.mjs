// Reads the machine-readable reports of the test runners. Only what is in a report is
// counted; a runner that failed without saying how counts as one failure.

/**
 * @typedef {object} Count
 * @property {number} passed
 * @property {number} failed
 * @property {readonly string[]} skipped titles, with the reason where the runner knows one
 */

/**
 * @typedef {object} VitestReport
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {readonly VitestFile[]} testResults
 *
 * @typedef {object} VitestFile
 * @property {string} status
 * @property {readonly { readonly status: string, readonly fullName: string }[]} assertionResults
 */

/**
 * @param {VitestReport | undefined} report of `vitest run --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countVitest(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: [] }, status);
  // A file that cannot even be loaded has no failed tests, only a failed file.
  const failedFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const others = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status !== 'passed' && test.status !== 'failed');
  return withStatus(
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests + failedFiles.length,
      skipped: others.map((test) => test.fullName),
    },
    status,
  );
}

/**
 * @typedef {object} PlaywrightReport
 * @property {{ readonly expected: number, readonly unexpected: number, readonly flaky: number }} stats
 * @property {readonly unknown[]} errors outside of any test
 * @property {readonly PlaywrightSuite[]} suites
 *
 * @typedef {object} PlaywrightSuite
 * @property {readonly PlaywrightSuite[]} [suites]
 * @property {readonly { readonly title: string, readonly tests: readonly PlaywrightTest[] }[]} [specs]
 *
 * @typedef {object} PlaywrightTest
 * @property {string} status
 * @property {readonly { readonly type: string, readonly description?: string }[]} [annotations]
 */

/**
 * @param {PlaywrightReport | undefined} report of `playwright test --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countPlaywright(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: [] }, status);
  const { expected, unexpected, flaky } = report.stats;
  return withStatus(
    { passed: expected + flaky, failed: unexpected + report.errors.length, skipped: report.suites.flatMap(skippedIn) },
    status,
  );
}

/**
 * @param {PlaywrightSuite} suite
 * @returns {string[]}
 */
function skippedIn({ suites = [], specs = [] }) {
  const here = specs.flatMap(({ title, tests }) =>
    tests
      .filter((test) => test.status === 'skipped')
      .map(({ annotations = [] }) => {
        const reason = annotations.find((one) => one.type === 'skip' || one.type === 'fixme')?.description;
        return reason === undefined ? title : `${title} (${reason})`;
      }),
  );
  return [...here, ...suites.flatMap(skippedIn)];
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
