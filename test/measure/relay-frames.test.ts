import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_BLOCK } from '../../protocol/frames.ts';
import { FrameReader, makeTally, type Tally } from '../harness/links/relay/frames.ts';

const REQUEST = Buffer.from(
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nupgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n',
);
const ANSWER = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
const BINARY = 2;
const CONTINUATION = 0;
const PING = 9;

interface FrameOptions {
  readonly opcode?: number;
  readonly isLast?: boolean;
  readonly masked?: boolean;
}

function frame(payload: Uint8Array, { opcode = BINARY, isLast = true, masked = false }: FrameOptions = {}): Buffer {
  const head = [(isLast ? 0x80 : 0) | opcode];
  const bit = masked ? 0x80 : 0;
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(payload.length));
  if (payload.length < 126) head.push(bit | payload.length);
  else if (payload.length < 65_536) head.push(bit | 126, ...length.subarray(6));
  else head.push(bit | 127, ...length);
  const mask = randomBytes(4);
  const body = masked ? payload.map((byte, at) => byte ^ mask[at % 4]!) : payload;
  return Buffer.concat([Buffer.from(head), ...(masked ? [mask] : []), body]);
}

/** A block: header and content. */
function block(bytes: number): Buffer {
  return Buffer.concat([Buffer.from([FRAME_BLOCK]), Buffer.alloc(bytes - 1, 7)]);
}

function control(bytes: number): Buffer {
  return Buffer.alloc(bytes, 0x93);
}

function tallyOf(chunks: readonly Uint8Array[]): Tally {
  const reader = new FrameReader();
  const tally = makeTally();
  for (const chunk of chunks) reader.read(chunk, tally);
  return tally;
}

describe('reading along on a connection', () => {
  it('counts blocks and control by the first byte of each message, payload and frame headers, masked or not', () => {
    for (const masked of [false, true]) {
      const blocks = [block(1), block(125), block(126), block(65_535), block(65_536)].map((it) =>
        frame(it, { masked }),
      );
      const controls = [control(1), control(300)].map((it) => frame(it, { masked }));
      expect(tallyOf([masked ? REQUEST : ANSWER, ...blocks, ...controls])).toEqual({
        dataBytes: Buffer.concat(blocks).length,
        controlBytes: Buffer.concat(controls).length,
        otherBytes: (masked ? REQUEST : ANSWER).length,
        dataMessages: 5,
        controlMessages: 2,
      });
    }
  });

  it('counts a message in fragments as what its first byte says, and a ping amid them as control', () => {
    const first = frame(block(40), { masked: true, isLast: false });
    const ping = frame(control(4), { masked: true, opcode: PING });
    const last = frame(control(1_000), { masked: true, opcode: CONTINUATION });
    expect(tallyOf([REQUEST, first, ping, last])).toMatchObject({
      dataBytes: first.length + last.length,
      controlBytes: ping.length,
      dataMessages: 1,
      controlMessages: 1,
    });
  });

  it('knows the kind of a message whose first fragment is empty, and takes an empty message for control', () => {
    const empty = frame(new Uint8Array(), { isLast: false });
    const rest = frame(block(10), { opcode: CONTINUATION });
    const nothing = frame(new Uint8Array());
    expect(tallyOf([ANSWER, empty, rest, nothing])).toMatchObject({
      dataBytes: empty.length + rest.length,
      dataMessages: 1,
      controlBytes: nothing.length,
      controlMessages: 1,
    });
  });

  it('counts the same however the bytes are cut', () => {
    const messages = fc.array(
      fc.record({ bytes: fc.integer({ min: 1, max: 400 }), isBlock: fc.boolean(), masked: fc.boolean() }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (all, cuts) => {
        const frames = all.map(({ bytes, isBlock, masked }) =>
          frame(isBlock ? block(bytes) : control(bytes), { masked }),
        );
        const stream = Buffer.concat([REQUEST, ...frames]);
        const chunks: Buffer[] = [];
        for (let at = 0, cut = 0; at < stream.length; at += cuts[cut++ % cuts.length]!) {
          chunks.push(stream.subarray(at, at + cuts[cut % cuts.length]!));
        }
        const sum = (isBlock: boolean) =>
          frames.reduce((bytes, it, at) => bytes + (all[at]!.isBlock === isBlock ? it.length : 0), 0);
        expect(tallyOf(chunks)).toMatchObject({
          dataBytes: sum(true),
          controlBytes: sum(false),
          otherBytes: REQUEST.length,
          dataMessages: all.filter(({ isBlock }) => isBlock).length,
        });
      }),
    );
  });

  it('takes plain HTTP, an upgrade that is refused, and what is no frame for other bytes to the end', () => {
    const page = Buffer.from('GET /a.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n');
    const refusal = Buffer.from('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\r\n');
    const reserved = Buffer.from([0xf2, 1, 1]);
    const endless = Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255]);
    const orphan = frame(block(3), { opcode: CONTINUATION });
    const endlessHead = Buffer.alloc(40_000, 0x41);
    const streams = [
      [page, frame(block(9))],
      [refusal, frame(block(9))],
      ...[reserved, endless, orphan].map((it) => [ANSWER, it, frame(block(9))]),
      [endlessHead, ANSWER, frame(block(9))],
    ];
    for (const chunks of streams) {
      expect(tallyOf(chunks)).toEqual({ ...makeTally(), otherBytes: Buffer.concat(chunks).length });
    }
  });

  it('spoils the last byte of each block, and nothing else', () => {
    const reader = new FrameReader();
    reader.spoils = true;
    const header = frame(block(20), { masked: true, isLast: false });
    const content = frame(control(2_000), { masked: true, opcode: CONTINUATION });
    const others = [REQUEST, frame(control(50), { masked: true }), frame(control(3), { masked: true, opcode: PING })];
    const sent = Buffer.concat([...others, header, content]);
    const wrong = Buffer.from(sent);
    for (let at = 0; at < wrong.length; at += 7) reader.read(wrong.subarray(at, at + 7), makeTally());
    expect(wrong.subarray(0, -1).equals(sent.subarray(0, -1))).toBe(true);
    expect(wrong.at(-1)).toBe(sent.at(-1)! ^ 1);
  });
});
