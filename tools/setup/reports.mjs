// Reads the machine-readable reports of the test runners. Only what is in a report is
// counted; a runner that failed without saying how counts as one failure.

/**
 * @typedef {object} Count
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * @typedef {object} VitestReport
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {readonly { readonly status: string, readonly assertionResults: readonly { readonly status: string }[] }[]} testResults
 *   one for each file
 */

/**
 * @param {VitestReport | undefined} report of `vitest run --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countVitest(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: 0 }, status);
  // A file that cannot even be loaded has no failed tests, only a failed file.
  const failedFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return withStatus(
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests + failedFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
    },
    status,
  );
}

/**
 * @typedef {object} PlaywrightReport
 * @property {{ readonly expected: number, readonly unexpected: number, readonly flaky: number, readonly skipped: number }} stats
 * @property {readonly unknown[]} errors outside of any test
 */

/**
 * @param {PlaywrightReport | undefined} report of `playwright test --reporter=json`
 * @param {number} status of the runner
 * @returns {Count}
 */
export function countPlaywright(report, status) {
  if (report === undefined) return withStatus({ passed: 0, failed: 0, skipped: 0 }, status);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return withStatus({ passed: expected + flaky, failed: unexpected + report.errors.length, skipped }, status);
}

/**
 * No result at all, or a failure that no test owns up to, is one failure.
 *
 * @param {Count} count
 * @param {number} status
 * @returns {Count}
 */
function withStatus(count, status) {
  const isSilent = count.passed + count.failed + count.skipped === 0;
  return count.failed === 0 && (status !== 0 || isSilent) ? { ...count, failed: 1 } : count;
}
