// Files and connections: no source of this version tells of them. What would is
// said, and nothing is made up.

import type { ReactNode } from 'react';
import { useApp } from '../../app-context.ts';
import { printable } from '../../layout/printable.ts';

export function FilesTab() {
  return (
    <Nothing title="No file activity is recorded" events="security_file_open, openat, vfs_write">
      Which files the task opened, wrote, renamed or deleted, with time and result, would be listed here.
    </Nothing>
  );
}

export function NetworkTab() {
  return (
    <Nothing title="No network activity is recorded" events="security_socket_connect, net_packet_dns">
      Connections, listening sockets and names looked up, with address, port and time, would be listed here.
    </Nothing>
  );
}

interface NothingProps {
  readonly title: string;
  /** Of Tracee, that tell of it. */
  readonly events: string;
  readonly children: ReactNode;
}

function Nothing({ title, events, children }: NothingProps) {
  const source = useApp().replica.stats?.source.name;
  return (
    <div className="tab-empty">
      <h3>{title}</h3>
      <p>{children}</p>
      <p>
        {source === undefined ? 'The source' : `The source of this host, ${printable(source)},`} tells when tasks start,
        what they run and how they end, and no more. Tracee can tell the rest (<code>{events}</code>): Dendro takes in
        its process events, and does not keep these yet.
      </p>
    </div>
  );
}
