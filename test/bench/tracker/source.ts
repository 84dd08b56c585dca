import { nameOfHash } from '../../../protocol/names.ts';
import { descriptionSigned, encodeDescription, encodeRecord } from '../../../protocol/records.ts';
import { concatBytes } from '../../../protocol/text.ts';
import { joinSigned, toTrackerCodec } from '../../../protocol/tracker-messages.ts';
import { makeKeyPair } from '../../../runtime/node/crypto.ts';
import { hashOf } from '../../../runtime/node/hash.ts';

/** A source whose keys and description are real: what a tracker checks. Its records are not signed: no tracker asks. */
export class BenchSource {
  private readonly root = makeKeyPair();
  private readonly signing = makeKeyPair();
  readonly stream = hashOf(this.root.publicKey);

  joins(nonce: Uint8Array): Uint8Array[] {
    const { stream } = this;
    const { publicKey: key } = this.signing;
    const is = { type: 'join', version: 1, role: 'source', mode: 'hybrid', url: ':7000', region: null } as const;
    const proof = this.signing.sign(joinSigned(nonce, stream, key));
    const body = encodeDescription({
      ...{ rootKey: this.root.publicKey, signingKey: key, revision: 0, issuedAtMs: Date.now() },
      ...{ expiresAtMs: Date.now() + 3_600_000, title: 'bench', partTargetMs: 250, segmentTargetMs: 1_000, tracks: [] },
    });
    const description = concatBytes(body, this.root.sign(descriptionSigned(stream, body)));
    return [
      toTrackerCodec.encode({ ...is, stream, key, proof }),
      toTrackerCodec.encode({ type: 'publish', description, insServers: [], hlsUrl: null }),
    ];
  }

  /** The records of one part of two tracks. */
  records(part: number): Uint8Array {
    const records = [0, 1].map((track) => {
      const body = encodeRecord({
        ...{ track, part, revision: 0, segment: part >> 2, indexInSegment: part & 3, independent: (part & 3) === 0 },
        ...{ discontinuity: false, timeUs: part * 250_000, durationUs: 250_000, capturedAtMs: part * 250 },
        ...{ blocks: [{ name: nameOfHash(new Uint8Array(32)), sizeBytes: 30_000 }], previous: new Uint8Array(32) },
      });
      return concatBytes(body, new Uint8Array(64));
    });
    return toTrackerCodec.encode({ type: 'records', records });
  }
}
