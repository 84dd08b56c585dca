import { beforeEach, describe, expect, it } from 'vitest';
import { FairLine, type Lane } from '../harness/links/buckets/fair-line.ts';
import { HandClock } from './hand-clock.ts';

/** 1 Mbit/s: 125 bytes in a millisecond. */
const BPS = 1_000_000;
const BYTES_PER_MS = 125;

describe('a line that connections share', () => {
  let clock: HandClock;
  let line: FairLine;
  beforeEach(() => {
    clock = new HandClock();
    line = new FairLine(BPS, clock);
  });

  class Sending implements Lane {
    bytes = 0;
    isBlocked = false;
    readonly went: { readonly sizeBytes: number; readonly atMs: number }[] = [];
    whenGone: () => void = () => {};

    send(bytes: number): void {
      this.bytes += bytes;
      line.enter(this);
    }
    get readyBytes(): number {
      return this.isBlocked ? 0 : this.bytes;
    }
    get wentBytes(): number {
      return this.went.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    }
    gone(sizeBytes: number, atMs: number): void {
      this.bytes -= sizeBytes;
      this.went.push({ sizeBytes, atMs });
      this.whenGone();
    }
  }

  it('lets through what its rate allows, neither more nor less', () => {
    const lane = new Sending();
    lane.send(1_000_000);
    for (let step = 1; step <= 100; step++) {
      clock.pass(50);
      const allowed = step * 50 * BYTES_PER_MS;
      // A few ms of the rate may go at once, and a piece is through when its last byte is.
      expect(lane.wentBytes).toBeLessThanOrEqual(allowed + 4 * BYTES_PER_MS);
      expect(lane.wentBytes).toBeGreaterThan(allowed - 2_500);
    }
  });

  it('loses nothing of its rate to timers that are late', () => {
    const lane = new Sending();
    lane.send(1_000_000);
    for (let step = 0; step < 20; step++) {
      clock.oversleep(170);
      clock.wake();
    }
    expect(lane.wentBytes).toBeGreaterThan(20 * 170 * BYTES_PER_MS - 2_500);
    expect(lane.wentBytes).toBeLessThanOrEqual(20 * 170 * BYTES_PER_MS + 4 * BYTES_PER_MS);
    for (const { atMs } of lane.went) expect(atMs).toBeLessThanOrEqual(clock.nowMs());
  });

  it('gives nobody who comes later the time in which it was idle and its timer late', () => {
    const [lane, late] = [new Sending(), new Sending()];
    lane.send(1_000);
    clock.oversleep(500);
    late.send(100_000);
    expect(lane.bytes).toBe(0);
    expect(late.wentBytes).toBe(0);
    clock.pass(100);
    expect(late.wentBytes).toBeLessThanOrEqual(104 * BYTES_PER_MS);
  });

  it('saves up no more than a few milliseconds while it is idle', () => {
    const lane = new Sending();
    clock.pass(60_000);
    lane.send(4 * BYTES_PER_MS);
    expect(lane.wentBytes).toBe(4 * BYTES_PER_MS);
    lane.send(1);
    expect(lane.bytes).toBe(1);
    clock.pass(0.008);
    expect(lane.bytes).toBe(0);
  });

  it('shares alike among those who have much', () => {
    const lanes = [new Sending(), new Sending(), new Sending()];
    for (const lane of lanes) lane.send(200_000);
    clock.pass(1_200);
    for (const lane of lanes) expect(Math.abs(lane.wentBytes - 400 * BYTES_PER_MS)).toBeLessThanOrEqual(2_500);
  });

  it('lets a short message through before what is left of a block of somebody else', () => {
    const [block, message] = [new Sending(), new Sending()];
    block.send(65_536);
    clock.pass(1);
    message.send(100);
    clock.pass(22);
    expect(message.bytes).toBe(0);
    expect(block.bytes).toBeGreaterThan(60_000);
  });

  it('passes over who waits for something else, and takes him in again', () => {
    const [still, other] = [new Sending(), new Sending()];
    still.send(50_000);
    other.send(1_000_000);
    clock.pass(100);
    still.isBlocked = true;
    clock.pass(50);
    const [stillBefore, otherBefore] = [still.wentBytes, other.wentBytes];
    clock.pass(400);
    expect(still.wentBytes - stillBefore).toBeLessThanOrEqual(2_500);
    expect(other.wentBytes - otherBefore).toBeGreaterThan(400 * BYTES_PER_MS - 2 * 2_500);
    still.isBlocked = false;
    line.enter(still);
    clock.pass(800);
    expect(still.bytes).toBe(0);
  });

  it('holds nothing up where its rate is infinite, also for who sends again as soon as something has gone', () => {
    line = new FairLine(Number.POSITIVE_INFINITY, clock);
    const lane = new Sending();
    let again = 3;
    lane.whenGone = () => {
      if (again-- > 0) lane.send(10_000);
    };
    lane.send(1_000_000);
    expect(lane.wentBytes).toBe(1_030_000);
    expect(lane.went.map(({ sizeBytes }) => sizeBytes)).toEqual([1_000_000, 10_000, 10_000, 10_000]);
  });

  it('takes another rate at once, for what is on it too, and 0 stops it', () => {
    const lane = new Sending();
    lane.send(100_000);
    clock.pass(10);
    line.setRate(0);
    const before = lane.wentBytes;
    clock.pass(10_000);
    expect(lane.wentBytes).toBe(before);
    line.setRate(8 * BPS);
    clock.pass(50);
    const allowed = 14 * BYTES_PER_MS + 50 * 8 * BYTES_PER_MS;
    expect(lane.wentBytes).toBeLessThanOrEqual(allowed);
    expect(lane.wentBytes).toBeGreaterThan(allowed - 16_384 - 4 * BYTES_PER_MS);
    line.setRate(Number.POSITIVE_INFINITY);
    expect(lane.bytes).toBe(0);
  });

  it('stands still while it is held, and goes on where it was', () => {
    const lane = new Sending();
    lane.send(100_000);
    clock.pass(100);
    line.hold();
    const before = lane.wentBytes;
    clock.pass(5_000);
    lane.send(10);
    expect(lane.wentBytes).toBe(before);
    line.release();
    expect(lane.wentBytes).toBe(before);
    clock.pass(100);
    expect(lane.wentBytes).toBeLessThanOrEqual(204 * BYTES_PER_MS);
    expect(lane.wentBytes).toBeGreaterThan(200 * BYTES_PER_MS - 2_500);
  });
});
