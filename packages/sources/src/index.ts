export { AuditSource } from './audit/audit-source.ts';
export { CnProcSource, type CnProcSourceOptions } from './cn-proc/cn-proc-source.ts';
export { BpfChild, childOptions } from './ebpf/child-process.ts';
export { EbpfSource, type EbpfSourceOptions } from './ebpf/ebpf-source.ts';
export { mayUseEbpf } from './ebpf/refusal.ts';
export { type HashCounts, ProgramHashes, type ProgramHashesOptions } from './hash/program-hashes.ts';
export { type ClockOrigin, HostClock } from './host-clock.ts';
export { HostFilter } from './input/host-filter.ts';
export { KernelSource, type KernelSourceOptions } from './kernel-source.ts';
export { NoSource } from './no-source.ts';
export { DEFAULT_BUDGET_MS, NO_COUNTS, type ProcfsCounts } from './procfs/counts.ts';
export { ownPid } from './procfs/pid-namespace.ts';
export { ProcfsSource, type ProcfsSourceOptions } from './procfs/procfs-source.ts';
export { ProcfsThread, type ProcfsThreadOptions } from './procfs/procfs-thread.ts';
export { ProcfsReader, type ProcfsReaderOptions } from './procfs/reader.ts';
export { ReplaySource } from './replay.ts';
export { type ReplayFileOptions, ReplayFileSource } from './replay-file.ts';
export type { EventSink, Source } from './source.ts';
export { SourceGroup } from './source-group.ts';
export { StraceSource } from './strace/strace-source.ts';
export { TraceeFollowSource } from './tracee/follow-source.ts';
export { TraceeGrpcSource } from './tracee/grpc-source.ts';
export {
  DEFAULT_MAX_HOSTS,
  FeedHost,
  HostSplit,
  type HostSplitOptions,
  type HostTrees,
  MAX_HOST_NAME,
} from './tracee/host-split.ts';
export { TraceeDecoder } from './tracee/tracee-decoder.ts';
export { TraceeSource } from './tracee/tracee-source.ts';
export { removeOwnInstance } from './tracefs/instance.ts';
export { TracefsSource, type TracefsSourceOptions } from './tracefs/tracefs-source.ts';
