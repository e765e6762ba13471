// What the set-up says while it works. All of it goes to standard error: standard
// output belongs to the server's URL and to the closing line of the tests.

const TICK_MS = 1_000;
/** Where there is no terminal to rewrite a line on, a new line this often. */
const LINE_EVERY_TICKS = 15;

/** @param {string} sentence */
export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/**
 * Says what is being done, keeps saying for how long, and at the end how long it took.
 *
 * @template T
 * @param {string} title begins a line: "Installing dependencies"
 * @param {(tell: (detail: string) => void) => Promise<T>} work may tell how far it is
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const isTerminal = process.stderr.isTTY === true;
  let detail = '';
  let ticks = 0;
  const show = () => {
    const line = `${title} … ${seconds().toFixed(0)} s${detail === '' ? '' : `, ${detail}`}`;
    if (isTerminal) process.stderr.write(`\r${line}\u001b[K`);
    else if (ticks % LINE_EVERY_TICKS === 0) say(line);
  };
  if (isTerminal) show();
  else say(`${title} …`);
  const ticker = setInterval(() => {
    ticks++;
    show();
  }, TICK_MS);
  try {
    const result = await work((told) => {
      detail = told;
    });
    process.stderr.write(`${isTerminal ? '\r\u001b[K' : ''}${title}: done in ${seconds().toFixed(1)} s.\n`);
    return result;
  } catch (thrown) {
    if (isTerminal) process.stderr.write('\n');
    throw thrown;
  } finally {
    clearInterval(ticker);
  }
}
