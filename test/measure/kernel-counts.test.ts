import { describe, expect, it } from 'vitest';
import { parseLook } from '../harness/links/lab/kernel.ts';
import { packetsAtOnce, shapingLines } from '../harness/links/lab/shaping.ts';
import { host } from './lab-stage.ts';

const HOSTS = [host('198.18.0.3', 0, 2e6), host('198.18.0.4', 0, 80e6)];

function queue(where: object, bytes: number, packets: number, drops: number): object {
  return { kind: 'bfifo', handle: '8032:', ...where, options: { limit: 30_000 }, bytes, packets, drops };
}

const DIRECT = queue({ root: true }, 9_999, 99, 9);
const MIDDLE = JSON.stringify([DIRECT, queue({ parent: '1:1' }, 1_640, 10, 0), queue({ parent: '1:2' }, 66, 1, 0)]);
const OWN = JSON.stringify([DIRECT, queue({ parent: '1:1' }, 15_140, 10, 2), queue({ parent: '1:2' }, 66, 1, 0)]);
const SOCKET =
  'ESTAB  0  17  198.18.0.3:42029  198.18.0.1:4800  cubic wscale:7,7 rto:204 rtt:0.1/0.05 bytes_sent:1000000 bytes_retrans:1448 bytes_acked:998553 bytes_received:3 send 1.2Gbps notsent:17 unacked:4 rcv_space:14480';
const QUIET = 'SYN-SENT 0 1 198.18.0.4:42030 198.18.0.1:4800 cubic rto:1000 mss:524';

describe('what the kernel says', () => {
  it('is read by hosts, from IP upwards, and by connections; what it does not say is 0', () => {
    expect(parseLook(`${MIDDLE}\n\n${OWN}\n\n${SOCKET}\n${QUIET}\n`, HOSTS)).toEqual({
      sockets: [
        {
          state: 'ESTAB',
          local: { address: '198.18.0.3', port: 42_029 },
          remote: { address: '198.18.0.1', port: 4_800 },
          sentBytes: 1_000_000,
          resentBytes: 1_448,
          ackedBytes: 998_553,
          receivedBytes: 3,
          unreadBytes: 0,
          queuedBytes: 17,
          unsentBytes: 17,
          unackedPackets: 4,
        },
        expect.objectContaining({ state: 'SYN-SENT', sentBytes: 0, receivedBytes: 0 }),
      ],
      hosts: [
        {
          address: '198.18.0.3',
          sent: { bytes: 15_000, packets: 10, dropped: 2 },
          received: { bytes: 1_500, packets: 10, dropped: 0 },
        },
        expect.objectContaining({ address: '198.18.0.4', sent: { bytes: 52, packets: 1, dropped: 0 } }),
      ],
    });
  });

  it('is the one queue of the device where a program is a single host', () => {
    const own = JSON.stringify([queue({ root: true }, 15_140, 10, 2)]);
    expect(parseLook(`${own}\n${own}\n`, HOSTS.slice(0, 1)).hosts).toMatchObject([{ sent: { bytes: 15_000 } }]);
  });

  it('is refused where it cannot be read, rather than counted as nothing', () => {
    expect(() => parseLook(`${MIDDLE}\n${JSON.stringify([DIRECT])}\n`, HOSTS)).toThrow('tc said what cannot be read');
    expect(() => parseLook(`${MIDDLE}\n${OWN.replace('15140', '"many"')}\n`, HOSTS)).toThrow('tc said');
    expect(() => parseLook(`${MIDDLE}\n${OWN}\nESTAB 0 0 here there cubic\n`, HOSTS)).toThrow('ss said what cannot');
  });
});

describe('how links are shaped', () => {
  it('one host has a bucket, several have a class each, by the source of what they send and the target of what they get', () => {
    expect(shapingLines('eth0', HOSTS.slice(0, 1), 'up', 'add')).toEqual([
      // A full packet of 9,000 bytes from IP upwards is one of 9,014 for the kernel.
      'qdisc add dev eth0 root handle 1: tbf rate 2003111bit burst 9014 limit 54084',
    ]);
    const [root, ...classes] = shapingLines('v1', HOSTS, 'down', 'add');
    expect(root).toBe('qdisc add dev v1 root handle 1: htb');
    expect(classes).toHaveLength(6);
    expect(classes[2]).toMatch(/match ip dst 198\.18\.0\.3\/32 flowid 1:1$/);
    expect(shapingLines('eth0', HOSTS, 'up', 'add').at(-1)).toMatch(/match ip src 198\.18\.0\.4\/32 flowid 1:2$/);
  });

  it('a change touches rates alone, so that what waits and what was counted stays', () => {
    const lines = shapingLines('eth0', HOSTS, 'up', 'change');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^class change dev eth0 parent 1: classid 1:[12] htb rate /);
  });

  it('kernels hand on as much at once as the slowest link of a program lets through at once', () => {
    expect(packetsAtOnce(HOSTS, 'up')).toBe(1);
    expect(packetsAtOnce(HOSTS.slice(1), 'up')).toBe(17);
  });

  it('a rate that is none is refused', () => {
    expect(() => shapingLines('eth0', [host('198.18.0.3', 0, Number.NaN)], 'up', 'add')).toThrow(/has no rate/);
  });
});
