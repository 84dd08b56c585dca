import type { Connection } from '../../../runtime/node/ws-link.ts';
import type { KernelCounts, SocketCounts } from '../links/lab/kernel.ts';
import type { KernelFindings } from './messages.ts';

/** What one worker's programs and its kernel say of the same connections. */
export interface TwoCounts {
  readonly own: readonly Connection[];
  readonly kernel: KernelCounts;
}

/** A socket that has carried less differs by much for the few bytes that are on their way. */
const MUCH_BYTES = 100_000;

/** Adds it all up. Pure. */
export function findingsOf(workers: readonly TwoCounts[]): KernelFindings {
  let [sockets, ownBytes, kernelBytes, worstShare, interfaceBytes, interfacePackets] = [0, 0, 0, 0, 0, 0];
  for (const { own, kernel } of workers) {
    const byEnds = new Map(kernel.sockets.map((socket) => [keyOf(socket), socket]));
    for (const connection of own) {
      const { localAddress, localPort, remoteAddress, remotePort } = connection;
      const socket = byEnds.get(key(localAddress, localPort, remoteAddress, remotePort));
      // It was closed or opened between the two looks.
      if (socket === undefined) continue;
      const [mine, theirs] = [connection.sentBytes + connection.receivedBytes, carriedBytes(socket)];
      sockets++;
      ownBytes += mine;
      kernelBytes += theirs;
      if (theirs >= MUCH_BYTES) worstShare = Math.max(worstShare, Math.abs(mine - theirs) / theirs);
    }
    for (const { sent, received } of kernel.hosts) {
      interfaceBytes += sent.bytes + received.bytes;
      interfacePackets += sent.packets + received.packets;
    }
  }
  return { sockets, ownBytes, kernelBytes, worstShare, interfaceBytes, interfacePackets };
}

/**
 * What the program has given and got. Bytes that were sent are no measure of that: what a full queue of this machine's own throws away counts as sent, and not
 * as sent again.
 */
function carriedBytes({ ackedBytes, queuedBytes, receivedBytes, unreadBytes }: SocketCounts): number {
  return ackedBytes + queuedBytes + receivedBytes - unreadBytes;
}

function keyOf({ local, remote }: SocketCounts): string {
  return key(local.address, local.port, remote.address, remote.port);
}

function key(localAddress: string, localPort: number, remoteAddress: string, remotePort: number): string {
  return `${plain(localAddress)}:${localPort} ${plain(remoteAddress)}:${remotePort}`;
}

/** IPv4 as IPv6 writes it is the same address. */
function plain(address: string): string {
  return address.replace(/^::ffff:/, '');
}
