import { describe, expect, it } from 'vitest';
import { Player, type PlayerEvent } from '../../machine/player.ts';

const PART_MS = 250;

/** A part of a stream whose part 0 was captured at time 0; every fourth one is independent. */
function part(number: number) {
  return {
    part: number,
    durationMs: PART_MS,
    independent: number % 4 === 0,
    discontinuity: false,
    capturedAtMs: number * PART_MS,
  };
}

function drain(player: Player): PlayerEvent[] {
  const events: PlayerEvent[] = [];
  for (let event = player.pollEvent(); event !== undefined; event = player.pollEvent()) events.push(event);
  return events;
}

/** Feeds parts as they come and lets time pass up to `untilMs` in small steps. */
function play(player: Player, arrivals: readonly (readonly [number, number])[], untilMs: number): PlayerEvent[] {
  const left = [...arrivals];
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 5) {
    while (left[0] !== undefined && left[0][1] <= nowMs) player.add(part(left.shift()![0]), nowMs);
    player.advance(nowMs);
  }
  return drain(player);
}

const inOrder = (arrivals: readonly (readonly [number, number])[]) => arrivals.toSorted((a, b) => a[1] - b[1]);

const OPTIONS = { startBufferMs: 500, targetLatencyMs: 1200 };

describe('player model', () => {
  it('starts at the newest independent part that has the start buffer behind it', () => {
    const player = new Player(OPTIONS);
    for (const number of [0, 1, 2, 3, 4]) player.add(part(number), 1_300);
    expect(drain(player)).toEqual([{ kind: 'started', atMs: 1_300, part: 0 }]);
    const later = new Player(OPTIONS);
    for (const number of [4, 5]) later.add(part(number), 1_600);
    expect(drain(later)).toEqual([{ kind: 'started', atMs: 1_600, part: 4 }]);
  });

  it('does not start in the middle of a segment, nor with less than the start buffer', () => {
    const player = new Player(OPTIONS);
    for (const number of [1, 2, 3]) player.add(part(number), 1_000);
    player.add(part(4), 1_250);
    expect(drain(player)).toEqual([]);
    expect(player.started).toBe(false);
  });

  it('plays without a freeze while parts come in time', () => {
    const arrivals = Array.from({ length: 40 }, (_, number) => [number, number * PART_MS + 300] as const);
    const player = new Player(OPTIONS);
    const events = play(player, arrivals, 10_000);
    expect(events.map((event) => event.kind)).toEqual(['started']);
    expect(player.freezes).toBe(0);
    expect(player.missedParts).toBe(0);
    expect(player.dueParts).toBeGreaterThan(30);
  });

  it('does not count a stop of less than 100 ms as a freeze', () => {
    const arrivals: [number, number][] = [
      [0, 300],
      [1, 300],
      [2, 300 + 2 * PART_MS + 80],
      [3, 1_000],
      [4, 1_000],
    ];
    const player = new Player(OPTIONS);
    expect(play(player, arrivals, 1_500).map((event) => event.kind)).toEqual(['started']);
    expect(player.freezes).toBe(0);
  });

  it('counts a longer stop as one freeze and says how long it was', () => {
    const arrivals: [number, number][] = [
      [0, 300],
      [1, 300],
      [2, 1_300],
      [3, 1_300],
    ];
    const player = new Player(OPTIONS);
    const events = play(player, arrivals, 1_500);
    expect(events.map((event) => event.kind)).toEqual(['started', 'freeze', 'resumed']);
    expect(events[1]).toMatchObject({ atMs: 800, part: 2 });
    expect(events[2]).toMatchObject({ atMs: 1_300, frozenMs: 500 });
    expect(player.frozenMs).toBe(500);
  });

  it('jumps to the newest independent part after a second, and counts what it skipped as missed', () => {
    const arrivals: [number, number][] = [
      [0, 300],
      [1, 300],
      [3, 1_000],
      [4, 1_300],
      [5, 1_500],
    ];
    const player = new Player(OPTIONS);
    const events = play(player, arrivals, 2_000);
    expect(events.map((event) => event.kind)).toEqual(['started', 'freeze', 'missed', 'resumed']);
    expect(events[2]).toEqual({ kind: 'missed', from: 2, to: 3 });
    expect(events[3]).toMatchObject({ part: 4, frozenMs: 1_000 });
    expect(player.missedParts).toBe(2);
  });

  it('steps over part numbers that a restarted source never gave out, without missing them', () => {
    const player = new Player(OPTIONS);
    player.add(part(0), 300);
    player.add(part(1), 300);
    player.advance(900);
    player.add({ ...part(80), discontinuity: true, capturedAtMs: 3_000 }, 3_300);
    player.add({ ...part(81), capturedAtMs: 3_250 }, 3_500);
    expect(drain(player).map((event) => event.kind)).toEqual(['started', 'freeze', 'resumed']);
    expect(player.playhead).toBe(80);
    expect(player.missedParts).toBe(0);
  });

  it('waits on when there is nothing to jump to', () => {
    const arrivals: [number, number][] = [
      [0, 300],
      [1, 300],
      [2, 5_000],
    ];
    const player = new Player(OPTIONS);
    expect(play(player, arrivals, 5_100).map((event) => event.kind)).toEqual(['started', 'freeze', 'resumed']);
    expect(player.missedParts).toBe(0);
  });

  it('comes back to the latency target by speed, and by one jump from far beyond it', () => {
    const near = new Player(OPTIONS);
    // Starts 1.5 s behind: a little beyond the target, so it hurries.
    const late = Array.from({ length: 60 }, (_, number) => [number, Math.max(1_500, number * PART_MS + 300)] as const);
    play(near, late, 14_000);
    expect(near.freezes).toBe(0);
    expect(near.latencyMs(14_000)).toBeLessThan(1_300);

    const far = new Player(OPTIONS);
    const stuck = Array.from(
      { length: 60 },
      (_, number) => [number, number < 4 ? 1_100 : number < 16 ? 4_300 : number * PART_MS + 300] as const,
    );
    const events = play(far, stuck, 14_000);
    expect(events.some((event) => event.kind === 'skipped')).toBe(true);
    expect(far.latencyMs(14_000)).toBeLessThan(2_600);
  });

  it('keeps its distance from what is late again and again, and comes back after a single outage', () => {
    // Every 20th part is 1.5 s late: in each span that is looked at there is one, and more than a span between two.
    const often = Array.from({ length: 200 }, (_, at) => [at, at * PART_MS + (at % 20 === 19 ? 1_500 : 300)] as const);
    const shaken = new Player(OPTIONS);
    const events = play(shaken, inOrder(often), 50_000).filter(
      (event) => event.kind === 'freeze' && event.atMs > 25_000,
    );
    expect(events).toEqual([]);
    expect(shaken.latencyMs(50_000)).toBeGreaterThan(1_400);

    const once = often.map(([at]) => [at, at === 19 ? 6_250 : at * PART_MS + 300] as const);
    const calm = new Player(OPTIONS);
    play(calm, inOrder(once), 50_000);
    expect(calm.latencyMs(50_000)).toBeLessThan(1_300);
  });

  it('gives the parts after the play-head their deadlines', () => {
    const player = new Player(OPTIONS);
    for (const number of [0, 1, 2]) player.add(part(number), 1_000);
    expect(player.dueAtMs(0, PART_MS, 1_000)).toBe(1_000);
    expect(player.dueAtMs(2, PART_MS, 1_000)).toBe(1_500);
    player.advance(1_100);
    expect(player.dueAtMs(4, PART_MS, 1_100)).toBe(2_000);
  });

  it('takes the end of the broadcast for no freeze, and the time until it goes on for none either', () => {
    const player = new Player(OPTIONS);
    for (const number of [0, 1, 2, 3]) player.add(part(number), 1_000);
    player.setEnded(true, 1_500);
    player.advance(5_000);
    expect(player.stalled).toBe(true);
    expect(player.nextDeadline()).toBeUndefined();
    player.setEnded(false, 9_000);
    player.add(part(4), 9_050);
    expect(drain(player).map((event) => event.kind)).toEqual(['started']);
    expect([player.freezes, player.frozenMs]).toEqual([0, 0]);
    player.advance(9_500);
    expect(drain(player)).toEqual([{ kind: 'freeze', atMs: 9_300, part: 5 }]);
  });

  it('keeps in hand what it is told to, however far beyond its target', () => {
    // It begins 5 s behind the edge and holds everything up to it at once.
    const held = Array.from({ length: 24 }, (_, number) => [number, 6_000] as const);
    const live = Array.from({ length: 60 }, (_, at) => [24 + at, 6_200 + at * PART_MS] as const);
    const latency = (inHandMs: number) => {
      const player = new Player({ ...OPTIONS, inHandMs });
      player.add(part(0), 5_900);
      player.add(part(1), 5_900);
      let leastMs = Number.POSITIVE_INFINITY;
      const left = [...held.slice(2), ...live];
      for (let nowMs = 6_000; nowMs <= 20_000; nowMs += 5) {
        while (left[0] !== undefined && left[0][1] <= nowMs) player.add(part(left.shift()![0]), nowMs);
        player.advance(nowMs);
        if (nowMs > 6_000) leastMs = Math.min(leastMs, player.bufferMs(nowMs));
      }
      expect(player.freezes).toBe(0);
      return leastMs;
    };
    expect(latency(2_000)).toBeGreaterThanOrEqual(2_000 - PART_MS);
    expect(latency(500)).toBeLessThan(1_250);
  });
});
