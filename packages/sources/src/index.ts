export { HostClock } from './host-clock.ts';
export { ProcfsSource, type ProcfsSourceOptions } from './procfs/procfs-source.ts';
export { ProcfsReader, type ProcfsReaderOptions } from './procfs/reader.ts';
export { ReplaySource } from './replay.ts';
export type { EventSink, Source } from './source.ts';
export { TraceeDecoder } from './tracee/tracee-decoder.ts';
export { TraceeSource } from './tracee/tracee-source.ts';
export { removeOwnInstance } from './tracefs/instance.ts';
export { TracefsSource, type TracefsSourceOptions } from './tracefs/tracefs-source.ts';
