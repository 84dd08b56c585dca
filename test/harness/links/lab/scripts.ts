import type { Host } from '../links.ts';
import { IP_BYTES, packetsAtOnce, shapingLines } from './shaping.ts';

/** Where programs send all that is for others. */
const MIDDLE = '198.18.255.254';
/** All hosts' addresses: a block that is for measuring networks (RFC 2544), so nobody has it. */
const ALL = '198.18.0.0/15';

/**
 * Shell scripts that make the networks, for `sh -eu` in the namespace in the middle: nothing but figures and addresses that were
 * checked goes into them.
 *
 * What all namespaces have in common: routes for what comes in are those of the kernel, whatever goes out takes the main table, so that even
 * two hosts in one namespace talk through the middle. Congestion control (a matter of the route: a namespace may not choose what the machine
 * does not allow) and buffers are what most machines have, and each connection begins as if it was the first.
 */
const COMMON = `
cd /proc/sys/net/ipv4
for where in all default; do echo 0 >conf/$where/rp_filter; echo 1 >conf/$where/accept_local; done
echo 1 >ip_nonlocal_bind
echo 1 >tcp_no_metrics_save
if [ -d ../ipv6 ]; then for where in all default; do echo 1 >../ipv6/conf/$where/disable_ipv6; done; fi
`;

const CONTROL = 'congctl cubic';

const RULES = [
  'link set lo up',
  'rule add pref 1 to 127.0.0.0/8 lookup local',
  'rule add pref 5 iif lo lookup main',
  'rule add pref 10 lookup local',
  'rule del pref 0',
];

/** The namespace in the middle: whatever comes in is for the relay, whosever address it has. */
export function middleScript(): string {
  const ip = [...RULES, `addr add ${MIDDLE}/32 dev lo`, `route add local ${ALL} dev lo`];
  // An eighth of the simulator's window before the relay, and an eighth behind it.
  const buffers = ['echo 4096 65536 131072 >tcp_rmem', 'echo 4096 65536 131072 >tcp_wmem'].join('\n');
  return `${COMMON}${buffers}\n${batch('ip', ip)}`;
}

/** A program's namespace and its leg: a pair of devices, named in the middle as said. */
export function legScript(pid: number, device: string, hosts: readonly Host[]): string {
  const [up, down] = [packetsAtOnce(hosts, 'up'), packetsAtOnce(hosts, 'down')];
  const middle = [
    `link add ${device} mtu ${IP_BYTES} gso_max_segs ${down} type veth peer name eth0 mtu ${IP_BYTES} gso_max_segs ${up} netns ${pid}`,
    `link set ${device} up`,
    ...hosts.map(({ address }) => `route replace ${address}/32 dev ${device} ${CONTROL}`),
  ];
  const own = [
    ...RULES,
    ...hosts.map(({ address }) => `addr add ${address}/32 dev eth0`),
    'link set eth0 up',
    `route add ${MIDDLE}/32 dev eth0`,
    `route add default via ${MIDDLE} dev eth0 src ${hosts[0]!.address} ${CONTROL}`,
  ];
  const buffers = ['echo 4096 131072 6291456 >tcp_rmem', 'echo 4096 16384 4194304 >tcp_wmem'].join('\n');
  const inProgram = [
    `${COMMON}${buffers}`,
    batch('ip', own),
    batch('tc', shapingLines('eth0', hosts, 'up', 'add')),
  ].join('\n');
  return [
    batch('ip', middle),
    batch('tc', shapingLines(device, hosts, 'down', 'add')),
    inNamespace(pid, inProgram),
  ].join('\n');
}

/** Other rates for the hosts of a program. */
export function ratesScript(pid: number, device: string, hosts: readonly Host[]): string {
  const inProgram = batch('tc', shapingLines('eth0', hosts, 'up', 'change'));
  const inMiddle = batch('tc', shapingLines(device, hosts, 'down', 'change'));
  return `${inMiddle}\n${inNamespace(pid, inProgram)}`;
}

/** Says what the devices of a leg have carried, and in what state the program's connections are: each a line, or lines. */
export function lookScript(pid: number, device: string): string {
  const inProgram = 'tc -s -j qdisc show dev eth0\necho\nss -tinHO state connected';
  return `tc -s -j qdisc show dev ${device}\necho\n${inNamespace(pid, inProgram)}`;
}

/** Goes into a process's namespace for it. */
function inNamespace(pid: number, script: string): string {
  return `nsenter -t ${pid} -n sh -eu <<'program'\n${script}\nprogram`;
}

function batch(program: 'ip' | 'tc', lines: readonly string[]): string {
  return `${program} -batch - <<'${program}'\n${lines.join('\n')}\n${program}`;
}
