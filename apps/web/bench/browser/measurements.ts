// All of them, in the order in which they are made.

import * as coldStart from './cold-start.ts';
import * as filter from './filter.ts';
import * as fold from './fold.ts';
import type { Measurement } from './harness.ts';
import * as instants from './instants.ts';
import * as lineage from './lineage.ts';
import * as load from './load.ts';
import * as pixel from './pixel.ts';
import * as scroll from './scroll.ts';
import * as scrub from './scrub.ts';
import * as storm from './storm.ts';

export const MEASUREMENTS: readonly Measurement[] = [
  load,
  lineage,
  coldStart,
  pixel,
  scroll,
  fold,
  filter,
  scrub,
  instants,
  storm,
];
