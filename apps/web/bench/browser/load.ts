// JavaScript that a first visit fetches, as gzip makes it.

import { gzipSync } from 'node:zlib';
import { close, GRID, type Harness, type Row } from './harness.ts';

export const name = 'load';
export const goal = 'JavaScript at first load ≤ 150 kB gzip';

const MOST_KB = 150;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const { server } = await harness.madeHost(100);
  const page = await harness.visit();
  const scripts: Promise<Buffer>[] = [];
  page.on('response', (response) => {
    if (/javascript/.test(response.headers()['content-type'] ?? '')) scripts.push(response.body());
  });
  await page.goto(server.url);
  await page.waitForSelector(GRID);
  const kb = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0) / 1000;
  await close(page);
  return [
    {
      what: 'JavaScript at first load, gzip',
      figure: `${kb.toFixed(1)} kB in ${scripts.length} files`,
      goal: `≤ ${MOST_KB} kB`,
      isKept: kb <= MOST_KB,
    },
  ];
}
