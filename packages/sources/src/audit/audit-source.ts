// A Linux audit log as a source.

import { type TextFormat, TextSource } from '../input/text-source.ts';
import { AuditDecoder } from './audit-decoder.ts';

const AUDIT: TextFormat = {
  kind: 'audit',
  what: 'Records of the Linux audit system',
  wanted: '/var/log/audit/audit.log, or what ausearch --raw gives',
  decode: (sink) => new AuditDecoder(sink),
};

export class AuditSource extends TextSource {
  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string) {
    super(target, AUDIT);
  }
}
