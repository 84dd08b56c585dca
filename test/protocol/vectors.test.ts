import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pack, unpack } from '../../protocol/codec.ts';
import { decodeBlockFrame } from '../../protocol/frames.ts';
import { insClientCodec } from '../../protocol/ins-messages.ts';
import { decodeInvitation } from '../../protocol/invitation.ts';
import { decodeDescription, decodeRecord } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { decodeToken } from '../../protocol/token.ts';
import { messagesIn } from '../../scripts/messages.ts';
import {
  type AnyMessage,
  conversations,
  delegatedToken,
  description,
  frameBlock,
  frameBytes,
  frames,
  fullToken,
  invitation,
  record,
  run,
  token,
} from './samples.ts';
import { makeVectors, type Vector } from './vectors.ts';

function golden(name: string): readonly Vector[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

describe('golden vectors: a change here is a change of the wire (npx tsx scripts/make-vectors.ts)', () => {
  test.each([...makeVectors()])('GE1: %s is what it was, value for value and byte for byte', (name, vectors) => {
    expect(vectors).toEqual(golden(name));
  });

  test('GE1: a message is a MessagePack array of its tag and its fields', () => {
    // 0x92: array of two; 9: cancel; 8: the request.
    expect(insClientCodec.encode({ type: 'cancel', request: 8 })).toEqual(Uint8Array.of(0x92, 9, 8));
    expect(insClientCodec.decode(Uint8Array.of(0x92, 9, 8))).toEqual({
      ok: true,
      message: { type: 'cancel', request: 8 },
    });
  });
});

describe.each(conversations.map((conversation) => [conversation.name, conversation] as const))('%s', (name, which) => {
  const { codec, samples, file } = which;

  test('every message has a sample', () => {
    const declared = messagesIn(file).filter((message) => message.conversation === name);
    expect(samples.map(({ type }) => type)).toEqual(declared.map(({ type }) => type));
  });

  test.each(samples.map((sample) => [sample.type, sample] as const))(
    'GE1: %s decodes to what was encoded',
    (_type, sample) => {
      expect(codec.decode(codec.encode(sample))).toEqual({ ok: true, message: sample });
    },
  );

  test.each(golden(name).map((vector) => [vector.name, vector] as const))(
    'GE1: the vector of %s decodes',
    (type, vector) => {
      expect(codec.decode(fromHex(vector.wire))).toEqual({
        ok: true,
        message: samples.find((sample) => sample.type === type),
      });
    },
  );

  test('GE4: fields behind the last one that is known are ignored, also inside lists', () => {
    for (const sample of samples) {
      expect(codec.decode(pack(longer(unpack(codec.encode(sample)))))).toEqual({ ok: true, message: sample });
    }
  });

  test('GE5: a message with an unknown tag is ignored', () => {
    for (const tag of [0, 48, 63, 127, 128, 65_535]) {
      expect(codec.decode(pack([tag, 'from', ['later'], Uint8Array.of(1)]))).toEqual({ ok: true, message: undefined });
    }
  });

  test('GE6: what is no message breaks the protocol', () => {
    for (const value of [[], ['1'], [null], 7, 'text', null, [[1]], [true], Uint8Array.of(1)]) {
      expect(codec.decode(pack(value))).toEqual({ ok: false, violation: 'not a message' });
    }
  });

  test('GE6: with a field of another type or range a message is malformed', () => {
    for (const sample of samples) {
      const values = unpack(codec.encode(sample)) as unknown[];
      for (let field = 1; field < values.length; field++) {
        for (const foreign of [-1, 0.5, Number.MAX_VALUE, [[[]]]]) {
          const changed = pack(values.map((value, at) => (at === field ? foreign : value)));
          expect(codec.decode(changed)).toEqual({ ok: false, violation: `malformed ${sample.type}` });
        }
      }
    }
  });
});

/** The same value with something behind the last field of the message and of each structure in it. */
function longer(value: unknown, depth = 0): unknown {
  if (!Array.isArray(value)) return value;
  // Structures and lists look alike: only what begins like a structure of ours is one.
  const inner = value.map((item) => longer(item, depth + 1));
  return depth === 0 || isStruct(value) ? [...inner, 'later'] : inner;
}

function isStruct(value: readonly unknown[]): boolean {
  if (value.length < 2 || value.every((item) => item instanceof Uint8Array)) return false;
  return (
    !value.every((item) => Array.isArray(item)) &&
    !value.every((item) => typeof item === 'number' && value.length === 2 && item < 2)
  );
}

describe('what is signed', () => {
  const stream = run(0x10, 32);
  const signature = run(0, 64);
  const wire = new Map(golden('signed-bodies').map(({ name, wire: hex }) => [name, fromHex(hex)]));
  const sealed = (name: string): Uint8Array => concatBytes(wire.get(name)!, signature);

  test('RE1: a description is body and signature; the signature covers context, stream and body', () => {
    const decoded = decodeDescription(stream, sealed('description'))!;
    expect(decoded.value).toEqual(description);
    expect(decoded.signature).toEqual(signature);
    const context = Buffer.from('inswarm/description/1\0');
    expect(decoded.signed).toEqual(concatBytes(context, stream, wire.get('description')!));
  });

  test('RE1: a record is body and signature; the signature covers context, stream and body', () => {
    const decoded = decodeRecord(stream, sealed('record'))!;
    expect(decoded.value).toEqual(record);
    expect(decoded.signature).toEqual(signature);
    expect(decoded.signed).toEqual(concatBytes(Buffer.from('inswarm/record/1\0'), stream, wire.get('record')!));
  });

  test('TO1: a token is claims and signature; the signature covers context and claims', () => {
    const decoded = decodeToken(sealed('token'))!;
    expect(decoded.token).toEqual(token);
    expect(decoded.signed).toEqual(concatBytes(Buffer.from('inswarm/token/1\0'), wire.get('token')!));
    expect(decodeToken(sealed('token with every claim'))?.token).toEqual(fullToken);
    expect(decodeToken(sealed('delegated token'))?.token).toEqual(delegatedToken);
  });

  test('AC1: an invitation is body and signature; the signature covers context and body', () => {
    const decoded = decodeInvitation(sealed('invitation'))!;
    expect(decoded.invitation).toEqual(invitation);
    expect(decoded.signed).toEqual(concatBytes(Buffer.from('inswarm/invitation/1\0'), wire.get('invitation')!));
  });

  test('RE1 TO1: what is cut short, or has bytes between, is not read', () => {
    for (const name of wire.keys()) {
      const whole = sealed(name);
      const cuts = [
        whole.subarray(1),
        whole.subarray(0, -1),
        concatBytes(whole, signature),
        signature,
        new Uint8Array(0),
      ];
      for (const cut of cuts) {
        expect(decodeDescription(stream, cut)).toBeUndefined();
        expect(decodeRecord(stream, cut)).toBeUndefined();
        expect(decodeToken(cut)).toBeUndefined();
        expect(decodeInvitation(cut)).toBeUndefined();
      }
    }
  });

  test('a frame rate keeps three decimals', () => {
    const [video] = decodeDescription(stream, sealed('description'))!.value.tracks;
    expect(video?.frameRate).toBe(29.97);
  });
});

describe('block frames', () => {
  test.each(frames.map(({ name, header }) => [name, header] as const))(
    'GE7: a frame that is %s comes apart as it was put together',
    (name, header) => {
      const wire = fromHex(golden('block-frames').find((vector) => vector.name === name)!.wire);
      expect(frameBytes(header)).toEqual(wire);
      expect(decodeBlockFrame(wire)).toEqual({ header, block: frameBlock });
    },
  );

  test('GE7: the block is a view into the frame, uncopied', () => {
    const wire = frameBytes(frames[0]!.header);
    expect(decodeBlockFrame(wire)?.block.buffer).toBe(wire.buffer);
  });

  test('GE7: a frame without a block, or cut within its header, is refused', () => {
    for (const { header } of frames) {
      const wire = frameBytes(header);
      for (let length = 0; length <= wire.length - frameBlock.length; length++) {
        expect(decodeBlockFrame(wire.subarray(0, length))).toBeUndefined();
      }
      expect(decodeBlockFrame(wire.subarray(0, wire.length - frameBlock.length + 1))?.header).toEqual(header);
    }
  });

  test('GE7: no frame begins like a control message, and no control message like a frame', () => {
    for (const { codec, samples } of conversations) {
      for (const sample of samples) expect(decodeBlockFrame(codec.encode(sample))).toBeUndefined();
      for (const { header } of frames) expect(codec.decode(frameBytes(header)).ok).toBe(false);
    }
  });

  test('GE7: another hash than BLAKE3 in the label is refused', () => {
    const wire = frameBytes(frames[2]!.header);
    wire[15] = 0x12;
    expect(decodeBlockFrame(wire)).toBeUndefined();
  });
});

const encodeUnknown: (message: AnyMessage) => Uint8Array = conversations[0]!.codec.encode;
test('GE1: what a sender may not send is an error at once', () => {
  const records = Array.from({ length: 10 }, () => new Uint8Array(12_000));
  expect(() => encodeUnknown({ type: 'records', records } as AnyMessage)).toThrow(RangeError);
});
