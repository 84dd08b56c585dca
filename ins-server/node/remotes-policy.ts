import { toBase64Url } from '../../protocol/text.ts';
import { isLoopback } from '../../runtime/node/ws-server.ts';

/**
 * Which other INS servers a server fetches from: `same-scope` (one that listens on loopback dials loopback only, others
 * anything but loopback and link-local addresses), or a list of `host`, `host:port`, whole addresses, or servers' keys as 43
 * characters of base64url. Servers whose keys are listed are known: when they come, they get a server's budget.
 */
export type RemotesPolicy = 'same-scope' | readonly string[];

export interface DialRules {
  /** Whether a server that a token names may be dialled. */
  mayDial(url: string, key?: Uint8Array): boolean;
  /** Whether a server's key is listed. */
  isKnownServer(key: Uint8Array): boolean;
  /** Whether what its host name stands for may be. */
  mayReach(address: string): boolean;
}

export function dialRules(policy: RemotesPolicy, host: string): DialRules {
  const reach = policy === 'same-scope' ? scopeOf(host) : () => true;
  const isKnownServer = (key: Uint8Array): boolean => policy !== 'same-scope' && policy.includes(toBase64Url(key));
  return {
    mayReach: reach,
    isKnownServer,
    mayDial(url, key) {
      const place = parse(url);
      if (place === undefined) return false;
      if (key !== undefined && isKnownServer(key)) return true;
      if (policy !== 'same-scope')
        return [place.hostname, place.host, place.href].some((known) => policy.includes(known));
      const name = place.hostname.replace(/^\[|\]$/g, '');
      // A name is resolved first; what is plainly out of scope is refused at once.
      return /^[\d.]+$|:/.test(name) || isLoopback(name) ? reach(name) : !isLoopback(host);
    },
  };
}

function scopeOf(host: string): (address: string) => boolean {
  if (isLoopback(host)) return isLoopback;
  return (address) => !isLoopback(address) && !isLocalOnly(address);
}

/** Link-local, unspecified and multicast addresses: never those of a server elsewhere. */
function isLocalOnly(address: string): boolean {
  const v4 = address.replace(/^::ffff:/i, '');
  return /^(0\.|169\.254\.|22[4-9]\.|23\d\.|2[4-5]\d\.)/.test(v4) || /^(fe[89ab]|ff|::$)/i.test(address);
}

function parse(url: string): { readonly hostname: string; readonly host: string; readonly href: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, host, username, password } = new URL(url);
  if ((protocol !== 'ws:' && protocol !== 'wss:') || username !== '' || password !== '') return undefined;
  return { hostname, host, href: url.replace(/\/$/, '') };
}
