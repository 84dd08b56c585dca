import { beforeEach, describe, expect, it } from 'vitest';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { body, ConversationStage, collection, want } from './conversation-stage.ts';
import { blockOf } from './helpers.ts';

describe('an INS conversation that has lost its connection', () => {
  let stage: ConversationStage;

  beforeEach(() => {
    stage = new ConversationStage();
  });

  it('asks again after a reconnect for what was not answered, and only for that', () => {
    stage.connect();
    stage.get(1, [want(1), want(2), want(3, { token: new Uint8Array(90) })]);
    stage.block(stage.gets()[0]!.request, 1);
    stage.reconnect();
    expect(stage.sent('token')).toHaveLength(1);
    expect(stage.gets().map(({ items }) => items.map(({ name }) => name))).toEqual([
      [blockOf(1).item.name, blockOf(3).item.name],
    ]);
    for (const item of [0, 1]) stage.block(stage.gets()[0]!.request, item);
    expect(stage.told('arrived').map(({ item }) => item)).toEqual([0, 2]);
    expect(stage.told('done')).toHaveLength(1);
  });

  it('goes on with a follow behind the newest part of the track that is furthest back', () => {
    stage.connect();
    const follow = { kind: 'follow', handle: 1, keep: true, token: null, collection, tracks: [0, 1] } as const;
    stage.input({ ...follow, from: FROM_NEWEST_START });
    const { request } = stage.sent('follow')[0]!;
    const bring = (wire: number, track: number, part: number, index = 0): void => {
      const labelled = { ...blockOf(part, 100, { track, index }).item };
      stage.input({ kind: 'block', header: { request: wire, item: 0, kept: false, labelled }, body });
    };
    bring(request, 0, 7);
    bring(request, 1, 7);
    bring(request, 0, 8);
    bring(request, 0, 8, 1);
    stage.reconnect();
    const again = stage.sent('follow')[0]!;
    expect(again).toMatchObject({ from: 7, tracks: [0, 1], keep: true });
    bring(again.request, 0, 7);
    bring(again.request, 1, 7);
    bring(again.request, 0, 8);
    bring(again.request, 0, 8, 2);
    bring(again.request, 1, 8);
    expect(
      stage.told('arrived').map(({ labelled }) => `${labelled?.part}/${labelled?.track}/${labelled?.index}`),
    ).toEqual(['8/0/2', '8/1/0']);
  });

  it('tells nothing twice that a follow brings again, however old', () => {
    stage.connect();
    stage.input({ kind: 'follow', handle: 1, keep: true, token: null, collection, tracks: [], from: 0 });
    const bring = (part: number): void =>
      stage.input({
        kind: 'block',
        header: {
          request: stage.sent('follow').at(-1)!.request,
          item: 0,
          kept: false,
          labelled: blockOf(part, 50).item,
        },
        body,
      });
    for (let part = 0; part < 40; part++) bring(part);
    // Out of order is no repetition before the connection has broken.
    bring(3);
    expect(stage.told('arrived')).toHaveLength(41);
    stage.reconnect();
    for (let part = 0; part < 42; part++) bring(part);
    expect(stage.told('arrived').map(({ labelled }) => labelled?.part)).toEqual([40, 41]);
  });

  it('puts again after a reconnect what was not acknowledged', () => {
    stage.connect();
    const blocks = [1, 2, 3].map((part) => blockOf(part));
    const items = blocks.map(({ item }) => item);
    const bodies = blocks.map((each) => each.body);
    stage.input({ kind: 'put', handle: 1, collection, ttlSeconds: 9, items, bodies });
    stage.message({ type: 'stored', request: stage.puts()[0]!.request, items: [1] });
    expect(stage.told('stored')).toEqual([{ kind: 'stored', handle: 1, items: [1] }]);
    stage.reconnect();
    expect(stage.puts()[0]?.items).toEqual([items[0], items[2]]);
    expect(stage.told('send-block').map((each) => each.body)).toEqual([bodies[0], bodies[2]]);
    stage.message({ type: 'stored', request: stage.puts()[0]!.request, items: [0, 1] });
    expect(stage.told('stored')).toEqual([{ kind: 'stored', handle: 1, items: [0, 2] }]);
    expect(stage.told('done')).toHaveLength(1);
  });
});
