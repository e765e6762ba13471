// Checks every import of the workspace against tools/edges/allowed-edges.ts.

import { fileURLToPath } from 'node:url';
import { ALLOWED_EDGES } from './edges/allowed-edges.ts';
import { checkEdges } from './edges/edge-rules.ts';

const violations = checkEdges(fileURLToPath(new URL('..', import.meta.url)), ALLOWED_EDGES);
for (const { file, line, what } of violations) console.log(`${file}:${line}: ${what}`);
console.log(violations.length === 0 ? 'Imports keep to the table.' : `${violations.length} imports break the rules.`);
process.exitCode = violations.length === 0 ? 0 : 1;
