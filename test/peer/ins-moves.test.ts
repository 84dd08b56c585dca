import { beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { InsMoves, type Playing } from '../../peer/core/ins-moves.ts';
import { InsPace } from '../../peer/core/ins-pace.ts';
import type { InsSession } from '../../peer/core/ins-session.ts';

/** As much of a session as decisions need. */
interface Stand {
  up: boolean;
  dialledAtMs: number;
  upAtMs: number;
  heardAtMs: number;
  follow: object | undefined;
  broughtUntilMs: number | undefined;
  pace: InsPace;
}

describe('when a viewer tries another INS server, and which one it keeps', () => {
  let moves: InsMoves;
  let session: Stand & InsSession;
  let nowMs: number;

  const stand = (): Stand & InsSession =>
    ({ up: true, dialledAtMs: nowMs, upAtMs: nowMs, heardAtMs: nowMs, follow: {}, pace: new InsPace() }) as never;
  const playing = (inHandMs: number): Playing => ({ emptyAtMs: nowMs + inHandMs, partMs: 250, live: true });
  /** Parts come every 250 ms, so late each. */
  const receive = (from: Stand & InsSession, count: number, lagMs: number): void => {
    for (let at = 0; at < count; at++) {
      nowMs += 250;
      from.heardAtMs = nowMs;
      from.pace.tick(nowMs);
      moves.came(from, lagMs);
    }
  };

  beforeEach(() => {
    nowMs = 1_800_000_000_000;
    moves = new InsMoves(new Prng(1));
    session = stand();
  });

  it('stays where parts come in time, however seldom one of them is late', () => {
    for (let round = 0; round < 20; round++) {
      receive(session, 3, 100);
      receive(session, 1, 500);
      expect(moves.reason(session, playing(700), nowMs)).toBeUndefined();
    }
  });

  it('tries another one where even the promptest parts are late, sooner the less is in hand', () => {
    receive(session, 20, 100);
    receive(session, 8, 600);
    expect(moves.reason(session, playing(0), nowMs)).toBe('it is slow');
    const patient = new InsMoves(new Prng(1));
    moves = patient;
    const other = stand();
    receive(other, 20, 100);
    receive(other, 8, 600);
    expect(patient.reason(other, playing(2_000), nowMs)).toBeUndefined();
    receive(other, 32, 600);
    expect(patient.reason(other, playing(2_000), nowMs)).toBe('it is slow');
  });

  it('tries another one when nothing comes for longer than lately, unless the source is silent, too', () => {
    receive(session, 20, 100);
    nowMs += 300;
    expect(moves.reason(session, playing(400), nowMs)).toBeUndefined();
    nowMs += 200;
    expect(moves.reason(session, playing(200), nowMs)).toBe('nothing comes');
    expect(moves.reason(session, { ...playing(200), live: false }, nowMs)).toBeUndefined();
  });

  it('keeps the other one only when it is clearly earlier', () => {
    receive(session, 20, 100);
    receive(session, 8, 600);
    const trial = stand();
    receive(session, 1, 600);
    receive(trial, 2, 550);
    expect(moves.verdict(session, trial, trial.upAtMs + 100)).toBeUndefined();
    receive(trial, 2, 150);
    expect(moves.verdict(session, trial, trial.upAtMs + 100)).toBe('trial');
  });

  it('keeps the one in use when the other one has shown nothing in time, and does not try again soon', () => {
    receive(session, 20, 100);
    receive(session, 8, 600);
    const trial = stand();
    receive(session, 1, 600);
    expect(moves.verdict(session, trial, nowMs + 10_000)).toBe('session');
    moves.tried(session, trial, nowMs);
    receive(session, 100, 900);
    expect(moves.reason(session, playing(0), nowMs)).toBeUndefined();
    receive(session, 300, 900);
    expect(moves.reason(session, playing(0), nowMs)).toBe('it is slow');
  });

  it('soon tries again after a time in which neither sent anything: that says nothing of what comes after an outage', () => {
    receive(session, 20, 100);
    nowMs += 500;
    const trial = stand();
    nowMs += 600;
    for (let outage = 0; outage < 8; outage++) moves.tried(session, trial, nowMs);
    receive(session, 20, 900);
    expect(moves.reason(session, playing(0), nowMs)).toBe('it is slow');
  });

  it('keeps the other one when it is ahead, although what it has caught up with is late', () => {
    receive(session, 20, 100);
    receive(session, 8, 1_000);
    const trial = stand();
    receive(session, 1, 1_000);
    session.broughtUntilMs = nowMs - 1_000;
    trial.broughtUntilMs = nowMs - 900;
    receive(trial, 2, 900);
    expect(moves.verdict(session, trial, trial.upAtMs + 500)).toBeUndefined();
    trial.broughtUntilMs = nowMs - 500;
    expect(moves.verdict(session, trial, trial.upAtMs + 500)).toBe('trial');
  });

  it('after a false alarm only deeper silence counts, but that counts', () => {
    receive(session, 20, 100);
    const trial = stand();
    receive(session, 1, 100);
    moves.tried(session, trial, nowMs);
    nowMs += 500;
    expect(moves.reason(session, playing(0), nowMs)).toBeUndefined();
    nowMs += 500;
    expect(moves.reason(session, playing(0), nowMs)).toBe('nothing comes');
  });
});
