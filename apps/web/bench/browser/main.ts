// `pnpm bench:browser [--only NAME,NAME] [--seconds N] [--tasks N]`: what a person
// feels of the page, in a real Chromium, with the built page of a real server.
// Prints a line of a markdown table for each figure. The browser can be named
// with CHROMIUM_PATH.

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Harness } from './harness.ts';
import { MEASUREMENTS } from './measurements.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    tasks: { type: 'string', default: '100000' },
  },
});
const names = values.only?.split(',') ?? MEASUREMENTS.map(({ name }) => name);
const unknown = names.filter((name) => !MEASUREMENTS.some((one) => one.name === name));
if (unknown.length > 0) {
  const known = MEASUREMENTS.map(({ name, goal }) => `  ${name.padEnd(12)}${goal}`).join('\n');
  console.error(`No measurement is called ${unknown.join(', ')}. There are:\n${known}`);
  process.exit(2);
}

const load = () => loadavg()[0]?.toFixed(1);
const harness = await Harness.start({ seconds: Number(values.seconds), tasks: Number(values.tasks) });
console.log(`${harness.tasks.toLocaleString('en')} tasks, ${cpus().length} cores, load ${load()} at the beginning\n`);
console.log('| | figure | goal | | beside |');
console.log('| --- | --- | --- | --- | --- |');
try {
  for (const { name, run } of MEASUREMENTS) {
    if (!names.includes(name)) continue;
    for (const { what, figure, goal, isKept, beside = '' } of await run(harness)) {
      const kept = isKept === undefined ? '' : isKept ? 'kept' : 'missed';
      console.log(`| ${what} | ${figure} | ${goal} | ${kept} | ${beside} |`);
    }
  }
} finally {
  await harness.stop();
}
console.log(`\nload ${load()} at the end`);
