import { performance } from 'node:perf_hooks';
import { joinSigned } from '../../../protocol/tracker-messages.ts';
import { type KeyPair, makeKeyPair } from '../../../runtime/node/crypto.ts';
import { openWebSocket, type RawClient, type Where } from '../ins/load/client.ts';
import { clientFrame, FrameCounter } from '../ins/load/frames.ts';
import { type Calls, serveCalls } from '../ins/process.ts';
import { busyMeter } from '../ins/servers/busy.ts';
import { BenchSource } from './source.ts';
import { DIGEST, JOINED, joinBytes, type Kind, REFUSED, stateBytes, WELCOME_HEAD } from './words.ts';

/** The load generator: a process with thousands of members on raw sockets, and a source. */

interface Member {
  readonly client: RawClient;
  readonly keys: KeyPair;
  nonce: Uint8Array | undefined;
  join: Buffer;
  joined: boolean;
  digestAtMs: number;
}

/** Handshakes under way at once. */
const OPENING_MAX = 64;

const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const members: Member[] = [];
const ready: KeyPair[] = [];
const busy = busyMeter();
let stream: Uint8Array = new Uint8Array(32);
let answered = 0;
let answerBytes = 0;
let failure: string | undefined;
/** Ms by which digests came later than a second after the one before. */
let late: number[] = [];
let digests = 0;
let digestBytes = 0;
let onAnswer: (() => void) | undefined;
let speaking: NodeJS.Timeout | undefined;

async function openMember(where: Where): Promise<Member> {
  const client = await openWebSocket(where);
  const member = { client, keys: ready.pop()!, nonce: undefined, join: Buffer.alloc(0), joined: false, digestAtMs: 0 };
  await new Promise<void>((resolve) => watch(member, resolve));
  return member;
}

function watch(member: Member, welcomed: () => void): void {
  const { client } = member;
  const counter = new FrameCounter({
    began(bytes, at, payload) {
      if (member.nonce === undefined) {
        const from = at + WELCOME_HEAD.length;
        member.nonce = new Uint8Array(bytes.subarray(from, from + 32));
        welcomed();
      } else if (is(bytes, at, JOINED)) {
        member.joined = true;
        answered++;
        answerBytes += payload;
        onAnswer?.();
      } else if (is(bytes, at, DIGEST)) digest(member, payload);
      else if (is(bytes, at, REFUSED)) failure ??= 'the tracker refused a member';
    },
    ended() {},
    ping: () => client.socket.write(PONG),
    closed: (why) => {
      failure ??= `the tracker closed a connection: ${why}`;
    },
  });
  client.stream((bytes, length) => counter.push(bytes, 0, length));
}

function is(bytes: Buffer, at: number, head: Buffer): boolean {
  return bytes[at] === head[0] && bytes[at + 1] === head[1];
}

function digest(member: Member, payload: number): void {
  const atMs = performance.now();
  if (member.digestAtMs > 0) late.push(Math.max(0, atMs - member.digestAtMs - 1_000));
  member.digestAtMs = atMs;
  digests++;
  digestBytes += payload;
}

function check(): void {
  if (failure !== undefined) throw new Error(failure);
  const lost = members.find(({ client }) => client.ended !== undefined);
  if (lost !== undefined) throw new Error(`a member was lost: ${lost.client.ended}`);
}

let turn = 0;

/** Members speak in turn, each once in `everyMs`; those who come later, too. */
function speak(everyMs: number, say: () => Buffer): void {
  clearInterval(speaking);
  let atMs = performance.now();
  let due = 0;
  speaking = setInterval(() => {
    const nowMs = performance.now();
    due += ((nowMs - atMs) * members.length) / everyMs;
    atMs = nowMs;
    for (; due >= 1; due--) {
      turn = turn + 1 < members.length ? turn + 1 : 0;
      const member = members[turn]!;
      if (member.joined) member.client.socket.write(say());
    }
  }, 10);
}

const calls = {
  /** A source that has published, and goes on to. */
  async source(where: Where): Promise<Uint8Array> {
    const source = new BenchSource();
    const client = await openWebSocket(where);
    const welcome = await client.answer((bytes) =>
      bytes.length < 2 + WELCOME_HEAD.length + 32 ? undefined : 2 + WELCOME_HEAD.length + 32,
    );
    const nonce = new Uint8Array(welcome.subarray(-32));
    client.socket.write(Buffer.concat(source.joins(nonce).map((bytes) => clientFrame(bytes))));
    client.stream(() => {});
    let part = 0;
    setInterval(() => {
      client.socket.write(clientFrame(source.records(part++)));
    }, 250);
    return source.stream;
  },
  /** Makes keys, before anybody looks at the clock. */
  prepare({ count, of }: { readonly count: number; readonly of: Uint8Array }): void {
    stream = of;
    while (ready.length < count) ready.push(makeKeyPair());
  },
  /** Opens so many connections, up to the welcome. */
  async open({ where, count }: { readonly where: Where; readonly count: number }): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next++ < count) members.push(await openMember(where));
    };
    await Promise.all(Array.from({ length: OPENING_MAX }, worker));
    check();
  },
  /** Signs what those who have not joined will say. */
  sign(kind: Kind): void {
    for (const member of members) {
      if (member.joined) continue;
      const { publicKey: key } = member.keys;
      const proof = member.keys.sign(joinSigned(member.nonce!, stream, key));
      member.join = clientFrame(joinBytes(stream, key, kind, proof));
    }
  },
  /** All who have not joined do. Ms until the last one has its answer, and bytes of an answer. */
  async join(): Promise<{ readonly ms: number; readonly answerBytes: number }> {
    const waiting = members.filter(({ joined }) => !joined);
    answered = 0;
    answerBytes = 0;
    const fromMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      const lateness = setTimeout(() => reject(new Error(failure ?? `only ${answered} of ${waiting.length}`)), 20_000);
      onAnswer = () => {
        if (answered < waiting.length) return;
        clearTimeout(lateness);
        resolve();
      };
      for (const { client, join } of waiting) client.socket.write(join);
    });
    onAnswer = undefined;
    check();
    return { ms: performance.now() - fromMs, answerBytes: answerBytes / waiting.length };
  },
  /** Members say now and then that they are there. */
  keep(everyMs: number): void {
    const state = clientFrame(stateBytes(1_000, false));
    speak(everyMs, () => state);
  },
  /** Each member says once a second that it has more. */
  speak(): void {
    const fromMs = performance.now();
    let made = -1;
    let state: Buffer = Buffer.alloc(0);
    speak(1_000, () => {
      const part = 1_000 + Math.floor((performance.now() - fromMs) / 250);
      if (part !== made) state = clientFrame(stateBytes(part, false));
      made = part;
      return state;
    });
  },
  /** What came since the last call. */
  measure(): {
    readonly digests: number;
    readonly digestBytes: number;
    readonly late: number[];
    readonly busy: number;
  } {
    check();
    const measured = { digests, digestBytes, late, busy: busy() };
    digests = 0;
    digestBytes = 0;
    late = [];
    return measured;
  },
  close(): void {
    clearInterval(speaking);
    for (const { client } of members.splice(0)) client.socket.destroy();
  },
} satisfies Calls;

export type TrackerLoadCalls = typeof calls;
serveCalls(calls);
