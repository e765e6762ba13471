// A failure of the set-up, as one sentence for the person who ran it.

export class SetupFailure extends Error {
  /**
   * @param {string} sentence what happened and what to do about it
   * @param {string} [output] what the failed command printed
   */
  constructor(sentence, output = '') {
    super(sentence);
    this.name = 'SetupFailure';
    this.output = output;
  }
}

const TAIL_LINES = 15;

/**
 * @param {unknown} thrown
 * @returns {string} text to print: the sentence last, where it is seen
 */
export function explain(thrown) {
  if (!(thrown instanceof SetupFailure)) {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  const tail = thrown.output.trim().split('\n').slice(-TAIL_LINES).join('\n');
  return tail === '' ? thrown.message : `${tail}\n\n${thrown.message}`;
}

const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED|META_FETCH_FAIL|error sending request|dns error|network/i;

/**
 * @param {string} output what a package manager printed
 * @returns {boolean} did it fail because the package registry cannot be reached?
 */
export function isUnreachable(output) {
  return UNREACHABLE.test(output);
}
