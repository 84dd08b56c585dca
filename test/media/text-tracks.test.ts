import { describe, expect, it } from 'vitest';
import type { Packager } from '../../source-server/core/media/packager.ts';
import { cueSample, textHeader } from '../../source-server/core/media/ttml.ts';
import type { CutPart } from '../../source-server/core/media/types.ts';
import { makePackager, makeVideo, video } from './made-samples.ts';

const TEXT = 1;
/** Runs of ffmpeg begin ten seconds late (`timeOffsetSeconds`). */
const RUN_MS = 10_000;

function withText(): Packager {
  const packager = makePackager({ live: false });
  packager.setTracks([
    { id: 0, header: video },
    { id: TEXT, header: textHeader('eng') },
  ]);
  return packager;
}

function cue(fromMs: number, toMs: number, ...lines: string[]) {
  return cueSample({ fromMs: RUN_MS + fromMs, toMs: RUN_MS + toMs, lines });
}

function taken(packager: Packager): CutPart[] {
  const parts: CutPart[] = [];
  for (let one = packager.take(); one !== undefined; one = packager.take()) parts.push(one.part);
  return parts;
}

/** The documents of the text track, part by part. */
function documents(parts: readonly CutPart[]): string[] {
  return parts.map(({ tracks }) => {
    const text = new TextDecoder().decode(tracks.find(({ track }) => track === TEXT)!.bytes);
    return text.slice(text.indexOf('<tt'));
  });
}

function play(packager: Packager, seconds: number): void {
  for (const sample of makeVideo({ frames: seconds * 30 + 1 })) packager.push(0, sample, 0);
}

describe('a text track', () => {
  it('has a document for each part, with the borders of the pictures', () => {
    const packager = withText();
    packager.beginRun(false, 0);
    play(packager, 2);
    const parts = taken(packager);
    expect(parts.length).toBeGreaterThanOrEqual(7);
    for (const { tracks } of parts) {
      expect(tracks.map(({ timeUs, durationUs }) => [timeUs, durationUs])).toEqual([
        [tracks[0]!.timeUs, tracks[0]!.durationUs],
        [tracks[0]!.timeUs, tracks[0]!.durationUs],
      ]);
    }
    expect(new Set(documents(parts))).toEqual(new Set(['<tt xmlns="http://www.w3.org/ns/ttml" xml:lang=""/>']));
  });

  it('says a cue in every part that it lasts in, at its own times on the stream’s timeline', () => {
    const packager = withText();
    packager.beginRun(false, 0);
    packager.push(TEXT, cue(300, 900, 'Fish & <chips>', 'grün'), 0);
    play(packager, 2);
    const said = documents(taken(packager)).map((text) => /<p .*<\/p>/.exec(text)?.[0]);
    const words = 'Fish &#38; &#60;chips&#62;<br/>gr&#252;n';
    const p = `<p begin="00:00:00.300" end="00:00:00.900" region="r">${words}</p>`;
    expect(said.slice(0, 6)).toEqual([undefined, p, p, p, undefined, undefined]);
  });

  it('never has a part wait for words; what comes late is shown while it still lasts', () => {
    const packager = withText();
    packager.beginRun(false, 0);
    const pictures = makeVideo({ frames: 61 });
    for (const sample of pictures.slice(0, 31)) packager.push(0, sample, 0);
    const before = taken(packager);
    expect(before.length).toBeGreaterThanOrEqual(3);
    packager.push(TEXT, cue(100, 1_600, 'late'), 0);
    packager.push(TEXT, cue(100, 200, 'too late'), 0);
    for (const sample of pictures.slice(31)) packager.push(0, sample, 0);
    const after = documents(taken(packager));
    expect(after[0]).toContain('begin="00:00:00.100" end="00:00:01.600"');
    expect(after.at(-1)).not.toContain('late');
    expect([...documents(before), ...after].join()).not.toContain('too late');
  });

  it('is moved with the pictures when a file begins anew', () => {
    const packager = withText();
    for (const round of [0, 1]) {
      packager.beginRun(round === 1, 0);
      packager.push(TEXT, cue(0, 200, `round ${round}`), 0);
      for (const sample of makeVideo({ frames: 60 })) packager.push(0, sample, 0);
      packager.endRun();
    }
    packager.interrupt();
    const said = documents(taken(packager)).filter((text) => text.includes('round'));
    expect(said.map((text) => /begin="([^"]+)".*(round \d)/.exec(text)?.slice(1))).toEqual([
      ['00:00:00.000', 'round 0'],
      ['00:00:02.000', 'round 1'],
    ]);
  });

  it('ends words that last longer than the file with it, however often that begins anew', () => {
    const packager = withText();
    for (const round of [0, 1, 2]) {
      packager.beginRun(round > 0, 0);
      packager.push(TEXT, cue(500, 360_000_000, `round ${round}`), 0);
      for (const sample of makeVideo({ frames: 60 })) packager.push(0, sample, 0);
      packager.endRun();
    }
    packager.interrupt();
    const said = documents(taken(packager)).map((text) => [...text.matchAll(/round \d/g)].join());
    const rounds = [0, 1, 2].flatMap((round) => ['', '', ...Array.from({ length: 6 }, () => `round ${round}`)]);
    expect(said).toEqual(rounds);
  });

  it('says no more at once than anybody reads, and what has begun last', () => {
    const packager = withText();
    packager.beginRun(false, 0);
    for (let at = 0; at < 200; at++) packager.push(TEXT, cue(at, 2_000, `${at}:`, 'x'.repeat(200)), 0);
    packager.push(TEXT, cue(201, 2_000, ...Array.from({ length: 8 }, () => '中'.repeat(500))), 0);
    play(packager, 2);
    const [first, second] = documents(taken(packager));
    for (const text of [first!, second!]) {
      expect(text.length).toBeLessThan(5_000);
      expect(text).toContain('>199:<br/>');
      expect(text).not.toContain('>0:<br/>');
    }
    const order = [...second!.matchAll(/>(\d+):/g)].map(([, at]) => Number(at));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('holds nothing that XML has no character for', () => {
    const packager = withText();
    packager.beginRun(false, 0);
    packager.push(TEXT, cue(0, 200, 'a\u0000\u000b\uffff\ufffe\ud83d', '\udc00b😀\u0085'), 0);
    play(packager, 1);
    expect(documents(taken(packager))[0]).toContain('>a<br/>b&#128512;&#133;</p>');
  });
});
