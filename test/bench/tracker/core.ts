import { performance } from 'node:perf_hooks';
import { toTrackerCodec } from '../../../protocol/tracker-messages.ts';
import type { TrackerInput, TrackerOutput } from '../../../tracker/core/io.ts';
import { TRACKER_LIMITS } from '../../../tracker/core/limits.ts';
import { Tracker } from '../../../tracker/core/tracker.ts';
import { Encoder } from '../../../tracker/node/encoder.ts';
import { sealDescription, sealRecord, streamKeys } from '../../tracker/world.ts';
import { type Calls, serveCalls } from '../ins/process.ts';
import { memoryBytes } from '../ins/servers/memory.ts';
import { joinBytes, type Kind, stateBytes } from './words.ts';

/**
 * The tracker's core alone in a process, under virtual time: messages are decoded and encoded as at a socket, signatures
 * are good by definition.
 */

const PART_MS = 250;

let core: Tracker;
let nowMs = 1_000_000;
let links = 0;
let sentBytes = 0;
let sentMessages = 0;
const streams = Array.from({ length: 16 }, (_, at) => streamKeys(`stream ${at}`));
const encoder = new Encoder();

function input(message: TrackerInput): void {
  core.handleInput(message, nowMs);
  drain();
}

function drain(): void {
  for (let output = core.pollOutput(); output !== undefined; output = core.pollOutput()) perform(output);
}

function perform(output: TrackerOutput): void {
  if (output.kind === 'send') {
    sentBytes += encoder.encode(output.message).length;
    sentMessages++;
  } else if (output.kind === 'close') throw new Error(`the tracker closed a link: ${output.why}`);
  else if (output.kind === 'verify') input({ kind: 'verified', ref: output.ref, ok: true });
  else if (output.kind === 'hash') {
    const known = streams.find(({ rootKey }) => Buffer.from(rootKey).equals(output.bytes))!;
    input({ kind: 'hashed', ref: output.ref, hash: known.stream });
  }
}

function message(link: number, bytes: Uint8Array): void {
  const decoded = toTrackerCodec.decode(bytes);
  if (!decoded.ok) throw new Error(decoded.violation);
  input({ kind: 'message', link, message: decoded.message });
}

function open(): number {
  const link = ++links;
  input({ kind: 'link-opened', link, address: '192.0.2.1', nonce: new Uint8Array(32).fill(link) });
  return link;
}

function join(at: number, kind: Kind): number {
  const link = open();
  const key = Buffer.alloc(32);
  key.writeUInt32BE(link);
  message(link, joinBytes(streams[at]!.stream, key, kind, new Uint8Array(64)));
  return link;
}

function publish(at: number): number {
  const keys = streams[at]!;
  const link = open();
  const is = { type: 'join', version: 1, role: 'source', mode: 'hybrid', url: ':7000', region: null } as const;
  input({
    kind: 'message',
    link,
    message: { ...is, stream: keys.stream, key: keys.signingKey, proof: new Uint8Array(64) },
  });
  const publish = { type: 'publish', description: sealDescription(keys), insServers: [], hlsUrl: null } as const;
  input({ kind: 'message', link, message: publish });
  return link;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const calls = {
  /** An empty tracker; streams are published. */
  reset(swarms: number): void {
    const limits = { ...TRACKER_LIMITS, linksMax: 200_000, membersPerSwarmMax: 200_000 };
    core = new Tracker({ seed: 1, insServers: [], regionOf: () => undefined, limits });
    for (let at = 0; at < swarms; at++) publish(at);
  },
  /** So many join, each followed by its first state. CPU µs for a join and its answer, and bytes of answers. */
  joins({ count, swarms, kind }: { readonly count: number; readonly swarms: number; readonly kind: Kind }): {
    readonly joinUs: number;
    readonly answerBytes: number;
  } {
    const state = stateBytes(1_000, kind.mode === 'ins');
    const fromMs = cpuMs();
    let stateMs = 0;
    sentBytes = 0;
    for (let at = 0; at < count; at++) {
      nowMs += 0.05;
      const link = join(at % swarms, kind);
      const stateFromMs = performance.now();
      message(link, Buffer.from(state));
      stateMs += performance.now() - stateFromMs;
    }
    return { joinUs: ((cpuMs() - fromMs - stateMs) * 1_000) / count, answerBytes: sentBytes / count };
  },
  memory(): { readonly rss: number; readonly heap: number } {
    const rss = memoryBytes();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return { rss, heap: heapUsed + arrayBuffers };
  },
  /** Browsers, all of one stream; each says once a second that it has more, and the source has a new part four times. */
  hub({ count, seconds, kind }: { readonly count: number; readonly seconds: number; readonly kind: Kind }): {
    readonly share: number;
    readonly digests: number;
    readonly digestBytes: number;
  } {
    calls.reset(0);
    const source = publish(0);
    const members = Array.from({ length: count }, () => join(0, kind));
    const cores: number[] = [];
    let part = 1_000;
    const second = (measured: boolean): void => {
      // Made before the clock runs: this is what members do.
      const says = members.map((_, at) =>
        Buffer.from(stateBytes(part + Math.floor((at * 4) / count), part % 120 === 0)),
      );
      const records = [0, 1, 2, 3].map((at) => sealRecord(streams[0]!, part + at));
      const fromMs = cpuMs();
      let next = 0;
      for (let step = 0; step < 4; step++) {
        input({ kind: 'message', link: source, message: { type: 'records', records: [records[step]!] } });
        for (const end = ((step + 1) * count) / 4; next < end; next++) message(members[next]!, says[next]!);
        nowMs += PART_MS;
        if ((core.nextDeadline() ?? nowMs) <= nowMs) core.handleTimeout(nowMs);
        drain();
      }
      if (measured) cores.push((cpuMs() - fromMs) / 1_000);
      part += 4;
    };
    for (let at = 0; at < 3; at++) second(false);
    sentBytes = 0;
    sentMessages = 0;
    for (let at = 0; at < seconds; at++) second(true);
    const share = cores.sort((a, b) => a - b)[cores.length >> 1]!;
    return { share, digests: sentMessages / seconds, digestBytes: sentBytes / sentMessages };
  },
} satisfies Calls;

export type CoreCalls = typeof calls;
serveCalls(calls);
