import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';

const TOOLS: readonly (readonly [tool: string, packages: string])[] = [
  ['ip', 'iproute2'],
  ['tc', 'iproute2'],
  ['ss', 'iproute2'],
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['setpriv', 'util-linux'],
];

/** All that a lab asks of the kernel, in a namespace that is gone at once. */
const TRIAL = `
ip link add v0 gso_max_segs 1 type veth peer name v1
tc qdisc add dev v0 root handle 1: tbf rate 1mbit burst 3000 limit 30000
tc qdisc add dev v1 root handle 1: htb
tc class add dev v1 parent 1: classid 1:1 htb rate 1mbit ceil 1mbit burst 3000 cburst 3000 quantum 1514
tc qdisc add dev v1 parent 1:1 bfifo limit 30000
tc filter add dev v1 parent 1: protocol ip prio 1 u32 match ip src 198.18.0.1/32 flowid 1:1
ip link set v0 up
ip route add 198.18.0.1/32 dev v0 congctl cubic
ip rule add pref 5 iif lo lookup main
echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind
`;

export type CanOpen = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Whether this user may have network namespaces here, with all that a lab needs; else why not, and what to do. */
export async function canOpenLab(): Promise<CanOpen> {
  if (process.platform !== 'linux') return no('links in network namespaces need Linux');
  if (process.getuid?.() !== 0) {
    return no(
      'links in network namespaces need root: run it with sudo, or, where the kernel lets users have namespaces, with unshare -Ur before it',
    );
  }
  const missing = TOOLS.filter(([tool]) => !isThere(tool));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(' and ');
    return no(`links in network namespaces need ${missing.map(([tool]) => tool).join(', ')}: install ${packages}`);
  }
  try {
    await run(['unshare', '-n', 'sh', '-eu'], TRIAL);
    return { ok: true };
  } catch (error) {
    return no(`the kernel does not allow what links in network namespaces need: ${(error as Error).message}`);
  }
}

function isThere(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function no(why: string): CanOpen {
  return { ok: false, why };
}
