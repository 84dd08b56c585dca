import { describe, expect, it } from 'vitest';
import { LiveParts } from '../../hls/live-parts.ts';
import { GATHERED } from '../../hls/live-window.ts';
import { Rendition } from '../../peer/browser/rendition.ts';
import { audioTrack, makeDescription, makeRecord, videoTrack } from '../hls/made-stream.ts';

const [HIGH, LOW, SOUND] = [1, 2, 3];
const ladder = [
  { ...videoTrack, id: HIGH, bandwidthBps: 2_000_000 },
  { ...videoTrack, id: LOW, bandwidthBps: 500_000 },
  { ...audioTrack, id: SOUND },
];

function made(tracks = ladder): Rendition {
  const rendition = new Rendition();
  rendition.describe(makeDescription({ tracks }));
  return rendition;
}

describe('the rendition that a player is led to', () => {
  it('is the least first, and none where there is no choice', () => {
    expect(made().next).toBe(LOW);
    expect(made(ladder.slice(1)).next).toBeUndefined();
  });

  it('changes when the player has been given all of the one before', () => {
    const rendition = made();
    for (let part = 0; part < 5; part++) rendition.gave(LOW, part);
    rendition.begin(HIGH, 8);
    rendition.gave(SOUND, 7);
    for (let part = 5; part < 7; part++) rendition.gave(LOW, part);
    expect(rendition.next).toBe(LOW);
    rendition.gave(LOW, 7);
    expect(rendition.next).toBe(HIGH);
  });

  it('changes at once where the next one begins before what was given already', () => {
    const rendition = made();
    rendition.gave(LOW, 9);
    rendition.begin(HIGH, 8);
    expect(rendition.next).toBe(HIGH);
    // The sound begins anew with nothing.
    rendition.begin(SOUND, 20);
    expect(rendition.next).toBe(HIGH);
  });

  it('is the next one for who waits in vain, once that is listed: a part of the one before may never come', () => {
    const live = new LiveParts(GATHERED);
    live.setDescription(makeDescription({ tracks: ladder }));
    const rendition = made();
    live.begin(0);
    for (const part of [0, 1, 2, 3, 4, 5, 7]) live.add(makeRecord(part, { track: LOW }), []);
    for (let part = 0; part < 6; part++) rendition.gave(LOW, part);
    live.begin(8, HIGH);
    rendition.begin(HIGH, 8);
    const stands = () => {
      live.giveUp(7);
      rendition.stands((track) => live.window.nextPart(track));
      return rendition.next;
    };
    expect(stands()).toBe(LOW);
    live.add(makeRecord(8, { track: HIGH }), []);
    expect(live.window.nextPart(LOW)).toBe(6);
    expect(rendition.next).toBe(LOW);
    expect(stands()).toBe(HIGH);
  });

  it('stays what the player chose until the rule has found a place to change', () => {
    const rendition = made();
    rendition.gave(LOW, 1);
    rendition.begin(HIGH, 2);
    for (let part = 2; part < 9; part++) rendition.gave(LOW, part);
    rendition.resume();
    expect(rendition.next).toBe(LOW);
    rendition.begin(HIGH, 12);
    expect(rendition.next).toBe(LOW);
    rendition.gave(LOW, 11);
    expect(rendition.next).toBe(HIGH);
  });
});
