import { describe, expect, it } from 'vitest';
import { MBPS, Net } from './toy.ts';

/** Two programs with a connection between them, open at 4 ms: a has dialled, b was called. */
function pair(optionsA = {}, optionsB = {}) {
  const net = new Net();
  const a = net.toy('a', optionsA);
  const b = net.toy('b', optionsB);
  const link = a.call('b');
  return { net, a, b, link, back: -1 };
}

describe('a connection opens', () => {
  it('after a round trip for TCP and one for the upgrade; the listener speaks first with the answer to it', () => {
    const { net, a, b, back } = pair({}, { region: 1 });
    net.until(75);
    expect([b.atMs('opened'), a.atMs('opened')]).toEqual([75, undefined]);
    b.say(back, 1);
    net.until(1_000);
    expect(a.atMs('opened')).toBe(100);
    expect(a.atMs('message')).toBeCloseTo(100, 1);
    expect(a.heardAll.map(({ kind }) => kind)).toEqual(['opened', 'message']);
  });

  it('a round trip later where the listener speaks TLS', () => {
    const { net, a, b } = pair({}, { region: 1, tls: true });
    net.until(1_000);
    expect([b.atMs('opened'), a.atMs('opened')]).toEqual([125, 150]);
  });

  it('not where nobody listens, and after 10 s not where nothing answers', () => {
    const net = new Net();
    const a = net.toy('a');
    const dead = net.toy('dead');
    const gone = net.toy('gone');
    dead.kill();
    gone.vanish();
    for (const url of ['nowhere', 'dead', 'gone']) a.call(url);
    net.until(9_999);
    expect(a.of('closed')).toEqual(['1006 nobody listens there', '1006 nobody listens there']);
    net.until(10_001);
    expect(a.of('closed')[2]).toBe('1006 no answer');
  });

  it('when TCP tries again, where the net was parted as it was dialled', () => {
    const net = new Net();
    const a = net.toy('a');
    net.toy('b', { region: 1 });
    const heal = net.network.partRegions([0], [1]);
    a.call('b');
    net.events.at(500, heal);
    net.until(5_000);
    expect(a.atMs('opened')).toBe(1_100);
  });
});

describe('what is sent on one connection', () => {
  it('arrives in order, whatever its size', () => {
    // A downlink that is slower than the uplink: small frames would be through before large ones.
    const { net, a, b, link } = pair({ upBps: 80 * MBPS }, { downBps: 8 * MBPS });
    net.until(10);
    for (let at = 0; at < 5; at++) {
      a.give(link, 60_000, at);
      a.say(link, at);
    }
    net.until(2_000);
    const order = b.heardAll.filter(({ kind }) => kind !== 'opened').map(({ kind, what }) => `${kind} ${what}`);
    expect(order).toEqual([0, 1, 2, 3, 4].flatMap((at) => [`block ${at}:60000`, `message ${at}`]));
  });

  it('takes the time of both links and the way between', () => {
    const { net, a, b, link } = pair({ upBps: 8 * MBPS }, { region: 1, downBps: 16 * MBPS });
    net.until(200);
    a.give(link, 10_000);
    net.until(2_000);
    // Its header of 8 bytes, and two frame headers of 6 and 8: at 1 and at 2 bytes a µs.
    expect(b.atMs('block')).toBeCloseTo(200 + 10.022 + 25 + 5.011, 3);
    expect(a.atMs('sent')).toBeCloseTo(200 + 10.022, 3);
    expect(a.dataSentBytes).toBe(10_022);
    expect(b.dataReceivedBytes).toBe(10_022);
  });

  it('arrives whole before the connection closes in good order, and nothing after', () => {
    const { net, a, b, link, back } = pair();
    net.until(10);
    a.give(link, 100_000);
    a.hangUp(link, 4_400, 'enough');
    a.say(link, 1);
    b.say(back, 2);
    net.until(5_000);
    expect(b.heardAll.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'opened -1',
      'block 0:100000',
      'closed 4400 enough',
    ]);
    expect(a.of('closed')).toEqual(['4400 enough']);
    expect(a.of('message')).toEqual([]);
    expect(a.atMs('closed')!).toBeGreaterThan(b.atMs('closed')!);
  });

  it('is lost with the rest when closing takes longer than a second', () => {
    const { net, a, b, link } = pair({ upBps: 0.8 * MBPS });
    net.until(10);
    for (let at = 0; at < 4; at++) a.give(link, 60_000, at);
    a.hangUp(link);
    net.until(10_000);
    expect(a.atMs('closed')).toBe(1_010);
    expect(b.of('closed')).toEqual(['1006 the connection broke']);
    expect(b.of('block').length).toBeLessThan(3);
  });
});

describe('links are shared', () => {
  it('an uplink serves its connections in turn, and is never faster than it is', () => {
    const net = new Net();
    const from = net.toy('from', { upBps: 8 * MBPS });
    const to = ['b', 'c', 'd'].map((name) => ({ toy: net.toy(name), link: from.call(name) }));
    net.until(10);
    // The first one has three times as much to get.
    for (const { link } of [to[0]!, to[0]!, ...to]) for (let at = 0; at < 20; at++) from.give(link, 10_000);
    net.until(10 + 300);
    expect(from.host.sentBytes).toBeLessThanOrEqual(300_000 + 2 * 10_022);
    const got = to.map(({ toy }) => toy.of('block').length);
    // The first one had one before the others had any.
    expect(Math.max(...got) - Math.min(...got)).toBeLessThanOrEqual(2);
    net.until(2_000);
    expect(to.map(({ toy }) => toy.of('block').length)).toEqual([60, 20, 20]);
  });

  it('a downlink takes what comes from all sides, and is never faster than it is', () => {
    const net = new Net();
    const to = net.toy('to', { downBps: 8 * MBPS });
    const from = ['b', 'c', 'd'].map((name) => ({ toy: net.toy(name), link: 0 }));
    for (const each of from) each.link = each.toy.call('to');
    net.until(10);
    for (const { toy, link } of from) for (let at = 0; at < 20; at++) toy.give(link, 10_000);
    net.until(10 + 200);
    expect(to.dataReceivedBytes).toBeLessThanOrEqual(200_000);
    expect(to.dataReceivedBytes).toBeGreaterThan(180_000);
    net.until(2_000);
    expect(to.of('block').length).toBe(60);
  });

  it('hosts of one house share its line, up and down', () => {
    const net = new Net();
    const sharedUp = net.network.sharedLine(8 * MBPS);
    const sharedDown = net.network.sharedLine(16 * MBPS);
    const house = ['b', 'c'].map((name) => net.toy(name, { upBps: 80 * MBPS, sharedUp, sharedDown }));
    const far = net.toy('far', { upBps: 800 * MBPS, downBps: 800 * MBPS });
    const out = house.map((toy) => toy.call('far'));
    const inward = ['b', 'c'].map((name) => far.call(name));
    net.until(10);
    for (let at = 0; at < 40; at++) {
      for (const [n, toy] of house.entries()) toy.give(out[n]!, 10_000);
      for (const link of inward) far.give(link, 10_000);
    }
    net.until(10 + 200);
    expect(far.dataReceivedBytes).toBeLessThanOrEqual(200_000);
    expect(far.dataReceivedBytes).toBeGreaterThan(180_000);
    const taken = house.map((toy) => toy.dataReceivedBytes);
    expect(taken[0]! + taken[1]!).toBeLessThanOrEqual(400_000);
    expect(taken[0]! + taken[1]!).toBeGreaterThan(360_000);
    expect(Math.abs(taken[0]! - taken[1]!)).toBeLessThanOrEqual(10_022);
    net.until(5_000);
    for (const toy of house) expect(toy.of('block').length).toBe(40);
    expect(far.of('block').length).toBe(80);
  });

  it('other rates hold from then on', () => {
    const { net, a, b, link } = pair({ upBps: 80 * MBPS });
    net.until(10);
    a.host.setRates(0.8 * MBPS, 8 * MBPS);
    for (let at = 0; at < 10; at++) a.give(link, 10_000);
    net.until(10 + 500);
    expect(b.of('block').length).toBe(4);
  });
});

describe('a reader that does not keep up', () => {
  it('leaves the sender with what the sockets do not take, and once that is too much, without the connection', () => {
    const { net, a, b, link } = pair({ upBps: 8_000 * MBPS }, { downBps: 0.8 * MBPS });
    net.until(10);
    for (let at = 0; at < 36; at++) a.give(link, 1_000_000);
    expect(a.of('closed')).toEqual([]);
    net.until(100);
    // The window is full: a block or two have left.
    expect(a.of('sent').length).toBeLessThanOrEqual(2);
    a.say(link, 1);
    net.until(200);
    expect(a.of('closed')).toEqual(['4410 33554432 bytes wait to be read']);
    net.until(60_000);
    expect(b.of('closed')).toEqual(['1006 the connection broke']);
  });

  it('keeps the connection as long as something leaves, and loses it when nothing has for 5 s', () => {
    const { net, a, b, link } = pair({ upBps: 800 * MBPS }, { downBps: 8 * MBPS });
    net.until(10);
    for (let at = 0; at < 12; at++) a.give(link, 1_000_000, at);
    net.until(8_000);
    expect(a.of('closed')).toEqual([]);
    net.network.setStopped(b.host, true);
    net.until(20_000);
    expect(a.of('closed')).toEqual(['4410 took nothing for 5 s']);
    expect(b.of('closed')).toEqual([]);
    net.network.setStopped(b.host, false);
    net.until(21_000);
    expect(b.of('closed')).toEqual(['1006 the connection broke']);
  });
});

describe('what goes wrong', () => {
  it('a connection that breaks is told at once here, and there as soon as the net tells it', () => {
    const { net, a, b } = pair({}, { region: 1 });
    net.until(200);
    a.dropLinks();
    net.until(1_000);
    expect([a.atMs('closed'), b.atMs('closed')]).toEqual([200, 225]);
    expect([...a.of('closed'), ...b.of('closed')]).toEqual(Array(2).fill('1006 the connection broke'));
  });

  it('a program that crashes says nothing; its machine closes its connections', () => {
    const { net, a, b } = pair({}, { region: 1 });
    net.until(200);
    a.kill();
    net.until(60_000);
    expect(a.of('closed')).toEqual([]);
    expect([b.atMs('closed'), b.of('closed')]).toEqual([225, ['1006 the connection broke']]);
  });

  it('a machine that vanishes is missed when nothing has come for 25 s', () => {
    const { net, a, b, link, back } = pair();
    net.until(100);
    a.say(link, 1);
    net.until(200);
    a.vanish();
    b.say(back, 2);
    net.until(14_000);
    expect(b.of('closed')).toEqual([]);
    net.until(27_000);
    expect(b.of('closed')).toEqual(['4408 nothing came for 25 s']);
    expect([a.of('message'), a.of('closed')]).toEqual([[], []]);
  });

  it('half-open connections look open on both sides until something is due on them', () => {
    const { net, a, b, link, back } = pair();
    net.until(100);
    a.loseLinks();
    a.say(link, 1);
    b.say(back, 2);
    net.until(10_000);
    expect([a.of('message'), b.of('message'), a.of('closed'), b.of('closed')]).toEqual([[], [], [], []]);
    net.until(30_000);
    expect([...a.of('closed'), ...b.of('closed')]).toEqual(Array(2).fill('4408 nothing came for 25 s'));
  });

  it('connections that are silent and well stay open, for they are pinged', () => {
    const { net, a, b, link } = pair();
    net.until(100);
    // Looked after for a moment, and well again.
    net.network.unplug(b.host)();
    net.until(120_000);
    a.say(link, 1);
    net.until(121_000);
    expect([b.of('message'), a.of('closed'), b.of('closed')]).toEqual([['1'], [], []]);
  });

  it('what was sent into a parted net arrives in order when TCP tries again after it is healed', () => {
    const net = new Net();
    const a = net.toy('a');
    const b = net.toy('b', { region: 1 });
    const c = net.toy('c');
    const [toB, toC] = [a.call('b'), a.call('c')];
    net.until(1_000);
    const heal = net.network.partRegions([0], [1, 2]);
    for (const request of [1, 2, 3]) {
      a.say(toB, request);
      a.say(toC, request);
    }
    net.until(3_000);
    expect([b.of('message'), c.of('message')]).toEqual([[], ['1', '2', '3']]);
    heal();
    a.say(toB, 4);
    net.until(10_000);
    expect(b.of('message')).toEqual(['1', '2', '3', '4']);
    // 0.2, 0.6, 1.4 and 3 s after the first loss.
    expect(b.atMs('message')).toBeGreaterThanOrEqual(4_000);
    expect([a.of('closed'), b.of('closed')]).toEqual([[], []]);
  });

  it('two partitions that overlap are healed when both are', () => {
    const net = new Net();
    const a = net.toy('a');
    const b = net.toy('b', { region: 1 });
    const link = a.call('b');
    net.until(1_000);
    const first = net.network.partRegions([0], [1]);
    const second = net.network.unplug(b.host);
    a.say(link, 1);
    net.until(1_500);
    first();
    net.until(4_000);
    expect(b.of('message')).toEqual([]);
    second();
    second();
    net.until(9_000);
    expect(b.of('message')).toEqual(['1']);
  });

  it('a program that stands still hears everything when it goes on, in order', () => {
    const { net, a, b, link } = pair();
    net.until(100);
    net.network.setStopped(b.host, true);
    for (const request of [1, 2, 3]) a.say(link, request);
    net.until(4_000);
    expect(b.of('message')).toEqual([]);
    net.network.setStopped(b.host, false);
    net.until(4_001);
    expect(b.of('message')).toEqual(['1', '2', '3']);
    expect(b.atMs('message')).toBe(4_000);
  });
});

describe('bytes and objects', () => {
  it('frames are as long as RFC 6455 makes them: masked from the one who has dialled', () => {
    const { net, a, b, link, back } = pair();
    net.until(10);
    a.say(link, 1);
    b.say(back, 1);
    net.until(20);
    // An array of two, a tag and a request: 3 bytes.
    expect([a.controlSentBytes, b.controlSentBytes]).toEqual([3 + 6, 3 + 2]);
    b.give(back, 70_000);
    net.until(500);
    expect(b.dataSentBytes).toBe(8 + 70_000 + 10);
  });

  it('messages that travel as bytes are heard alike, at the same time', () => {
    const heard = [false, true].map((checksWire) => {
      const net = new Net(checksWire);
      const a = net.toy('a');
      const b = net.toy('b', { region: 1 });
      const link = a.call('b');
      net.until(500);
      for (let at = 0; at < 50; at++) a.say(link, at * 1_000);
      net.until(1_000);
      return b.heardAll;
    });
    expect(heard[0]!.length).toBe(51);
    expect(heard[1]).toEqual(heard[0]);
  });
});

describe('a processor', () => {
  it('does one thing after the other', () => {
    const net = new Net();
    const { host } = net.toy('a');
    net.until(100);
    expect([host.work(5), host.work(5)]).toEqual([105, 110]);
    net.until(200);
    expect(host.work(5)).toBe(205);
  });
});
