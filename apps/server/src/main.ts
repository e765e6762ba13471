// Where the process begins. What it does is in dendro.ts, which is read when the cache is there.

import { keepCompiled } from './compile-cache.ts';

keepCompiled();
await import('./dendro.ts');
