import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Intake, type IntakeEvent, type Origin } from '../../peer/core/intake.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { encodeRecord } from '../../protocol/records.ts';
import { concatBytes } from '../../protocol/text.ts';
import { Catalogue } from '../../swarm/catalogue.ts';

const STREAM = new Uint8Array(32).fill(2);
const ORIGIN: Origin = { from: 'peers', link: 1, who: 'peer mallory' };
const BODY = { byteLength: 100 };

const RECORD: IndexRecord = {
  track: 0,
  part: 8,
  revision: 5,
  segment: 2,
  indexInSegment: 0,
  independent: true,
  discontinuity: false,
  timeUs: 2_000_000,
  durationUs: 250_000,
  capturedAtMs: 1_000,
  blocks: [0, 1].map((index) => ({ name: nameOfHash(new Uint8Array(32).fill(index)), sizeBytes: 100 })),
  previous: new Uint8Array(32),
};
const SEALED = concatBytes(encodeRecord(RECORD), new Uint8Array(64));

function gate() {
  const outputs = new Queue<PeerOutput>();
  const catalogue = new Catalogue(64);
  let refs = 0;
  const description = { signingKey: new Uint8Array(32).fill(3) } as Description;
  const intake = new Intake(
    STREAM,
    catalogue,
    outputs,
    () => ++refs,
    (revision) => (revision === 5 ? description : undefined),
  );
  const events = () => {
    const out: IntakeEvent[] = [];
    for (let event = intake.events.shift(); event !== undefined; event = intake.events.shift()) out.push(event);
    return out;
  };
  return { intake, outputs, catalogue, events };
}

function labelled(index: number, companion: Uint8Array = new Uint8Array(0), change: { part?: number } = {}) {
  return { track: 0, part: 8, index, name: RECORD.blocks[index]!.name, start: true, companion, ...change };
}

describe('intake', () => {
  it('lets a block in only after its record’s signature and its own name are good', () => {
    const { intake, outputs, catalogue, events } = gate();
    intake.labelled(labelled(0, SEALED), BODY, ORIGIN, true);
    const verify = outputs.shift();
    expect(verify).toMatchObject({ kind: 'verify', keyHash: null });
    expect(catalogue.get(0, 8)).toBeUndefined();
    intake.labelled(labelled(1), BODY, ORIGIN, true);
    expect(outputs.shift()).toBeUndefined();
    intake.verified((verify as { ref: number }).ref, true);
    const checks = [outputs.shift(), outputs.shift()];
    expect(checks).toMatchObject([{ kind: 'check-name' }, { kind: 'check-name' }]);
    expect(catalogue.holds(0, 8)).toBe(false);
    for (const check of checks) intake.named((check as { ref: number }).ref, true);
    expect(catalogue.holds(0, 8)).toBe(true);
    expect(events().map((event) => event.kind)).toEqual(['record', 'block', 'block']);
  });

  it('drops a record whose signature is wrong, with the blocks that came under it, and names the sender', () => {
    const { intake, outputs, catalogue, events } = gate();
    intake.labelled(labelled(0, SEALED), BODY, ORIGIN, false);
    intake.verified((outputs.shift() as { ref: number }).ref, false);
    expect(events()).toMatchObject([
      { kind: 'bad', what: 'wrong record signature', part: 8, origin: { who: 'peer mallory' } },
    ]);
    expect(catalogue.get(0, 8)).toBeUndefined();
    expect(outputs.shift()).toBeUndefined();
  });

  it('drops a block of a wrong length without hashing it, and one whose bytes do not have the name', () => {
    const { intake, outputs, catalogue, events } = gate();
    const entry = catalogue.addRecord(RECORD, SEALED)!;
    intake.block(entry, 0, { byteLength: 99 }, ORIGIN, false);
    expect(outputs.shift()).toBeUndefined();
    expect(events()).toMatchObject([{ kind: 'bad', what: 'wrong length' }]);
    intake.block(entry, 0, BODY, ORIGIN, false);
    intake.named((outputs.shift() as { ref: number }).ref, false);
    expect(events()).toMatchObject([{ kind: 'bad' }]);
    expect(entry.heldBlocks).toBe(0);
    // And the right one is taken afterwards.
    intake.block(entry, 0, BODY, ORIGIN, false);
    intake.named((outputs.shift() as { ref: number }).ref, true);
    expect(entry.heldBlocks).toBe(1);
  });

  it('takes no record that does not fit the label it came under', () => {
    const { intake, outputs, events } = gate();
    intake.labelled(labelled(0, SEALED, { part: 9 }), BODY, ORIGIN, false);
    expect(events()).toMatchObject([{ kind: 'bad', what: 'record does not fit its label' }]);
    expect(outputs.shift()).toBeUndefined();
  });

  it('does not check twice what is being checked, and takes a second copy as no news', () => {
    const { intake, outputs, catalogue, events } = gate();
    const entry = catalogue.addRecord(RECORD, SEALED)!;
    intake.block(entry, 0, BODY, ORIGIN, false);
    intake.block(entry, 0, BODY, ORIGIN, false);
    const ref = (outputs.shift() as { ref: number }).ref;
    expect(outputs.shift()).toBeUndefined();
    intake.named(ref, true);
    intake.block(entry, 0, BODY, ORIGIN, false);
    expect(outputs.shift()).toBeUndefined();
    expect(events()).toHaveLength(1);
  });
});
