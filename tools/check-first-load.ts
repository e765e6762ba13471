// What a browser has to fetch of JavaScript before the page can run: the scripts
// that the built page names, and what these import at once. As gzip makes it.

import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const MOST_BYTES = 150_000;
const DIST = fileURLToPath(new URL('../apps/web/dist/', import.meta.url));
/** `import{a as b}from"./c.js"`, `import"./c.js"`, `export*from"./c.js"`; not `import("./c.js")`. */
const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*["'](\.[^"']+\.js)["']/g;

const html = readFileSync(join(DIST, 'index.html'), 'utf8');
const scripts = [...html.matchAll(/(?:src|href)="\/?([^"]+\.js)"/g)].map(([, path = '']) => join(DIST, path));
if (scripts.length === 0) throw new Error(`${DIST}index.html names no script`);

const files = new Set(scripts);
let sum = 0;
// The set grows while it is walked.
for (const file of files) {
  const code = readFileSync(file);
  const bytes = gzipSync(code).length;
  sum += bytes;
  console.log(`${relative(DIST, file)}: ${kb(bytes)}`);
  for (const [, path = ''] of code.toString().matchAll(STATIC_IMPORT)) files.add(join(dirname(file), path));
}
console.log(`JavaScript at first load: ${kb(sum)} gzip, and at most ${kb(MOST_BYTES)} are allowed.`);
process.exitCode = sum <= MOST_BYTES ? 0 : 1;

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
