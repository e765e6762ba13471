// A Linux audit log as a source.

import { HostFilter } from '../input/host-filter.ts';
import { type TextFormat, TextSource } from '../input/text-source.ts';
import { AuditDecoder } from './audit-decoder.ts';

export interface AuditSourceOptions {
  /** Which host's records are taken. */
  readonly hosts?: HostFilter | undefined;
}

export class AuditSource extends TextSource {
  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string, { hosts = new HostFilter() }: AuditSourceOptions = {}) {
    super(target, formatOf(hosts));
  }
}

function formatOf(hosts: HostFilter): TextFormat {
  return {
    kind: 'audit',
    what: 'Records of the Linux audit system',
    wanted: '/var/log/audit/audit.log, or what ausearch --raw gives',
    decode: (sink, isLive) => new AuditDecoder(sink, { hosts, isLive }),
  };
}
