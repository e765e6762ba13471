export { answersOf, differencesOf, snapshotOf } from './answers.ts';
export { arbitraryFacts, type WriteFact } from './arbitraries.ts';
export { LawfulHost, MS } from './lawful-host.ts';
export { late, tellProcfs, tellTracee, tellTracefs } from './lawful-host-dialects.ts';
export { interleaved, RUNS, seed, shuffledAndRepeated, steps } from './lawful-host-steps.ts';
export { parseTraceText, type TraceText } from './trace-text.ts';
export { TraceeServer } from './tracee-server.ts';
export { describeTree, drawTree } from './tree-text.ts';
export { Random } from './workload.ts';
