import { pack } from '../../protocol/codec.ts';
import { CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { availabilityField, type NeighbourEntry, neighbourField } from '../../protocol/swarm-fields.ts';
import { type FromTracker, fromTrackerCodec } from '../../protocol/tracker-messages.ts';

/**
 * Writes the tracker's messages, the same bytes as the codec makes, without writing the same thing twice: a message that goes
 * to many is written once, and so are a neighbour, a state and a list of records that are in many messages. The core
 * gives the same object for the same thing.
 */
export class Encoder {
  private readonly messages = new WeakMap<FromTracker, Uint8Array>();
  private readonly pieces = new WeakMap<object, Uint8Array>();

  /** @throws RangeError like the codec. */
  encode(message: FromTracker): Uint8Array {
    if (message.type === 'joined' || message.type === 'neighbours') return this.write(message);
    let bytes = this.messages.get(message);
    if (bytes === undefined) {
      bytes = this.write(message);
      this.messages.set(message, bytes);
    }
    return bytes;
  }

  private write(message: FromTracker): Uint8Array {
    switch (message.type) {
      case 'joined': {
        const { clockMs, heartbeatMs, state, description, records, neighbours, insServers } = message;
        const servers = insServers.map(({ url, region }) => [url, region]);
        const before = pack([TAGS.joined, clockMs, heartbeatMs, state, description]).subarray(1);
        return joinAll(8, [before, this.records(records), ...this.neighbours(neighbours), pack(servers)]);
      }
      case 'neighbours':
        return joinAll(2, [Uint8Array.of(TAGS.neighbours), ...this.neighbours(message.neighbours)]);
      case 'digest': {
        const { neighbours, records } = message;
        const states = neighbours.map((state) => this.piece(state, () => stateFields(state)));
        return joinAll(3, [Uint8Array.of(TAGS.digest), listHead(states.length), ...states, this.records(records)]);
      }
      default:
        return fromTrackerCodec.encode(message);
    }
  }

  private neighbours(entries: readonly NeighbourEntry[]): Uint8Array[] {
    const pieces = entries.map((entry) => this.piece(entry, () => neighbourField.write(entry)));
    return [listHead(pieces.length), ...pieces];
  }

  private records(records: readonly Uint8Array[]): Uint8Array {
    return records.length === 0 ? NO_ITEMS : this.piece(records, () => records);
  }

  private piece(of: object, fields: () => unknown): Uint8Array {
    let bytes = this.pieces.get(of);
    if (bytes === undefined) {
      bytes = pack(fields());
      this.pieces.set(of, bytes);
    }
    return bytes;
  }
}

type DigestState = Extract<FromTracker, { type: 'digest' }>['neighbours'][number];

function stateFields({ peer, availability, token, gone }: DigestState): unknown {
  return [peer, availabilityField.write(availability), token, gone];
}

/** The second byte of a message is its tag: all are below 128. */
function tagOf(message: FromTracker): number {
  return fromTrackerCodec.encode(message)[1]!;
}

const NONE = { description: null, records: [], neighbours: [], insServers: [] } as const;
const TAGS = {
  joined: tagOf({ type: 'joined', clockMs: 0, heartbeatMs: 0, state: 'live', ...NONE }),
  neighbours: tagOf({ type: 'neighbours', neighbours: [] }),
  digest: tagOf({ type: 'digest', neighbours: [], records: [] }),
};

/** The head of a MessagePack array, whose items follow. */
function listHead(length: number): Uint8Array {
  return length < 16 ? HEADS[length]! : Uint8Array.of(0xdc, length >> 8, length & 0xff);
}
const HEADS = Array.from({ length: 16 }, (_, length) => Uint8Array.of(0x90 | length));
const NO_ITEMS = HEADS[0]!;

function joinAll(items: number, pieces: readonly Uint8Array[]): Uint8Array {
  let size = 1;
  for (const { length } of pieces) size += length;
  if (size > CONTROL_BYTES_MAX) throw new RangeError(`a message of ${size} bytes`);
  const out = Buffer.allocUnsafe(size);
  out[0] = 0x90 | items;
  let at = 1;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
