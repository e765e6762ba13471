// What decodes lines, without anything of Node: a page reads files with it, too.

import './input/browser-buffer.ts';

export { AuditDecoder } from './audit/audit-decoder.ts';
export { HostFilter } from './input/host-filter.ts';
export type { LineDecoder } from './input/line-decoder.ts';
export { StraceDecoder } from './strace/strace-decoder.ts';
export { type TextKind, textKindOf } from './text-kind.ts';
export { HostSplit } from './tracee/host-split.ts';
export { TraceeDecoder } from './tracee/tracee-decoder.ts';
