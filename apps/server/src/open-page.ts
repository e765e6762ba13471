// Opens the page of `dendro run` in the browser of whoever sits at this desktop.
//
// The browser is never a root's unless that is asked for by one who has not come by sudo, and never has the token: the address
// it is given is in command lines, which all users of the host may read. What is in there is a ticket, good for a minute or two, and
// only for connections of the user whose browser it is.
//
// What opens it is started before tracing begins and waits: nothing of it is in the tree of the command.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { isEqual, newToken } from './access.ts';
import { environmentOfOthers } from './compile-cache.ts';

const TICKET_MS = 120_000;
const OPENER = 'xdg-open';
/** In a session of its own, and nobody's child: Ctrl-C is not for it. */
const WAIT_AND_OPEN = `IFS= read -r url && { ${OPENER} "$url" & }`;
/** What a desktop says of itself in the environment, as far as sudo leaves it there. */
const OF_DESKTOP = ['PATH', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_CURRENT_DESKTOP', 'LANG'];

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly isTerminal: boolean;
}

/** Who is to open it, or what there is to say instead. */
export type Opening =
  | { readonly kind: 'open'; readonly as: User | undefined }
  | { readonly kind: 'leave'; readonly say: string | undefined };

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** @param isAsked `--open` or `--no-open`, if any @param staysOn is there a page once the command has ended? */
export function openingFor(isAsked: boolean | undefined, staysOn: boolean, around: Surroundings): Opening {
  if (isAsked === false || (isAsked === undefined && !(staysOn && around.isTerminal))) return leave();
  const { env, uid } = around;
  const missing =
    !env['DISPLAY'] && !env['WAYLAND_DISPLAY']
      ? 'there is no desktop here (neither DISPLAY nor WAYLAND_DISPLAY is set)'
      : isInPath(OPENER, env)
        ? undefined
        : `there is no ${OPENER}`;
  if (missing !== undefined) return leave(isAsked ? `No browser is opened: ${missing}.` : undefined);
  if (uid === 0 && !isAsked) return leave('--open opens it in the browser, where you use sudo as the user who does.');
  return { kind: 'open', as: uid === 0 ? sudoUser(env) : undefined };
}

/** A way into the page that is not the token. */
export class Ticket {
  readonly text = newToken();
  readonly #uid: number;
  readonly #endsMs: number;

  constructor(uid: number, nowMs = performance.now()) {
    this.#uid = uid;
    this.#endsMs = nowMs + TICKET_MS;
  }

  /** Does it let whoever is at the other end of the socket in? */
  isGood(candidate: string, socket: Socket, nowMs = performance.now()): boolean {
    return nowMs < this.#endsMs && isEqual(candidate, this.text) && peerUid(socket) === this.#uid;
  }
}

export class PageOpener {
  readonly ticket: Ticket;
  readonly #waiting: ChildProcess;

  /** To be made before tracing begins. @param as other than the user of this process */
  constructor(as: User | undefined) {
    this.ticket = new Ticket(as?.uid ?? process.getuid?.() ?? 0);
    const { DENDRO_TOKEN: _, ...own } = environmentOfOthers();
    const env = as === undefined ? own : environmentOf(as, own);
    // Groups of root go with the change of user.
    this.#waiting = spawn('/bin/sh', ['-c', WAIT_AND_OPEN], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env,
      cwd: '/',
      ...as,
    });
    this.#waiting.on('error', () => {}); // the address is printed all the same
    this.#waiting.stdin?.on('error', () => {});
    this.#waiting.unref();
  }

  /** @param origin of the page */
  open(origin: string): void {
    this.#waiting.stdin?.end(`${origin}/?ticket=${this.ticket.text}\n`);
  }
}

/** The user of a connection from this host, as the kernel has it. */
function peerUid({ remoteAddress, remotePort, localAddress, localPort }: Socket): number | undefined {
  if (!remoteAddress || !localAddress || !remotePort || !localPort) return undefined;
  const remote = `${kernelAddress(remoteAddress)}:${kernelPort(remotePort)}`;
  const local = `${kernelAddress(localAddress)}:${kernelPort(localPort)}`;
  const table = readFileSync(remoteAddress.includes(':') ? '/proc/net/tcp6' : '/proc/net/tcp', 'latin1');
  for (const line of table.split('\n')) {
    const [, from, to, , , , , uid] = line.trim().split(/\s+/);
    if (from === remote && to === local) return Number(uid);
  }
  return undefined;
}

/** Words of 32 bits in the order of the machine, which is little endian. */
function kernelAddress(address: string): string {
  if (address === '::1') return `${'0'.repeat(24)}01000000`;
  const bytes = address.split('.').toReversed().map(Number);
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

function kernelPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function leave(say?: string): Opening {
  return { kind: 'leave', say };
}

function isInPath(name: string, { PATH = '' }: NodeJS.ProcessEnv): boolean {
  return PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || '.', name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function sudoUser({ SUDO_UID, SUDO_GID }: NodeJS.ProcessEnv): User | undefined {
  const [uid, gid] = [Number(SUDO_UID), Number(SUDO_GID)];
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}

/** As it is in that user's session, and nothing else of root's. */
function environmentOf({ uid }: User, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = OF_DESKTOP.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]]));
  const runtime = `/run/user/${uid}`;
  const [name, home] = accountOf(uid);
  return {
    ...Object.fromEntries(kept),
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
    ...(name === undefined ? {} : { USER: name, LOGNAME: name }),
    ...(home === undefined ? {} : { HOME: home }),
  };
}

function accountOf(uid: number): readonly [name?: string | undefined, home?: string | undefined] {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , id, , , home] = line.split(':');
    if (id === String(uid)) return [name, home];
  }
  return [];
}
