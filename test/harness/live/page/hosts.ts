import type { HostId, HostKind, LiveHost, LiveViewer } from '../model.ts';
import type { Picture, RunPicture } from '../picture.ts';

/** How a host stands: a viewer's state, or whether a server is up. */
export type Standing = LiveViewer['state'] | 'up' | 'down';

export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  coming: 'to come',
  waiting: 'waits',
  playing: 'plays',
  stalled: 'stands still',
  left: 'has left',
  dead: 'dead',
  up: 'up',
  down: 'down',
};

/** Who feeds: by the kind of host that sends. */
export type Origin = 'ins' | 'peers' | 'source';

export function originOf(kind: HostKind): Origin {
  return kind === 'ins' || kind === 'source' ? kind : 'peers';
}

export function isViewer({ kind }: LiveHost): boolean {
  return kind === 'viewer' || kind === 'browser';
}

const byId = new WeakMap<RunPicture, ReadonlyMap<HostId, LiveHost>>();

/** The hosts of the run that is shown. */
export function hostsOf({ run }: Picture): ReadonlyMap<HostId, LiveHost> {
  if (run === undefined) return NONE;
  const known = byId.get(run) ?? new Map(run.hosts.map((host) => [host.id, host]));
  byId.set(run, known);
  return known;
}

const NONE: ReadonlyMap<HostId, LiveHost> = new Map();

export function standingOf(picture: Picture, host: LiveHost): Standing {
  if (isViewer(host)) return picture.viewers.get(host.id)?.state ?? 'coming';
  return (picture.servers.get(host.id)?.isUp ?? true) ? 'up' : 'down';
}

export function regionName({ session }: Picture, { region }: LiveHost): string {
  return session?.regions.names[region] ?? '';
}
