// What it takes to start the child of the eBPF source before there is a source, and nothing else.

export { BpfChild, childOptions, type ReadingChoice } from './child-process.ts';
export { mayUseEbpf } from './refusal.ts';
