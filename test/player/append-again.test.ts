import { EventEmitter } from 'node:events';
import type Hls from 'hls.js';
import { ErrorDetails, Events } from 'hls.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendAgain } from '../../web-player/loader/append-again.ts';

/** The events of an hls.js: who is called gets the event's name first. */
class Player extends EventEmitter {
  readonly media = { error: null as object | null };
  readonly appended: object[] = [];

  constructor() {
    super();
    this.on(Events.BUFFER_APPENDING, (_, data) => this.appended.push(data));
    appendAgain(this as unknown as Hls);
  }

  trigger(event: string, data: object): void {
    this.emit(event, event, data);
  }
}

const [header, media] = [{ sn: 'initSegment' }, { sn: 7 }];
const part = { index: 4 };

describe('what hls.js could not append', () => {
  let player: Player;
  const chunkMeta = { sn: 7, part: 4 };
  const sound = { type: 'audio', frag: media, part, chunkMeta, data: Uint8Array.of(1) };
  const others = [
    { type: 'audio', frag: header, part: null, chunkMeta, data: Uint8Array.of(2) },
    { type: 'video', frag: media, part, chunkMeta, data: Uint8Array.of(3) },
  ];
  const fails = (name = 'InvalidStateError', details = ErrorDetails.BUFFER_APPEND_ERROR): void => {
    const error = Object.assign(new Error('still processing'), { name });
    const { type: sourceBufferName, frag } = sound;
    player.trigger(Events.ERROR, { details, error, frag, part, chunkMeta, sourceBufferName });
  };

  beforeEach(() => {
    player = new Player();
    for (const data of [...others, sound]) player.trigger(Events.BUFFER_APPENDING, data);
    player.appended.length = 0;
  });

  it('because the buffer was at work, it is given again: that, and no other of the same part', () => {
    fails();
    expect(player.appended).toEqual([sound]);
  });

  it('twice is given up: what fails for ever would be tried for ever', () => {
    fails();
    fails();
    expect(player.appended).toEqual([sound]);
  });

  it('for another reason, or on an element that has failed, is left to it', () => {
    fails('QuotaExceededError');
    fails('InvalidStateError', ErrorDetails.BUFFER_FULL_ERROR);
    player.media.error = {};
    fails();
    expect(player.appended).toEqual([]);
  });

  it('long ago is not kept', () => {
    for (let sn = 0; sn < 20; sn++)
      player.trigger(Events.BUFFER_APPENDING, { type: 'audio', frag: { sn }, chunkMeta: {} });
    player.appended.length = 0;
    fails();
    expect(player.appended).toEqual([]);
  });
});
