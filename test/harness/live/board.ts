import type {
  HostId,
  LiveCommand,
  LiveEnd,
  LiveHappening,
  LiveHost,
  LiveLine,
  LiveSecond,
  LiveServer,
  LiveSession,
  LiveViewer,
  LiveWish,
  WishedHosts,
} from './model.ts';
import { Picture } from './picture.ts';
import { kbits, packFlows, packLasting, packMoving, TOLD_FORMAT, type Told, type ToldSecond } from './told.ts';
import { isHere, totalsOf } from './totals.ts';

const WARNINGS_A_SECOND = 8;

/** A wish that can be met, or one sentence on why it cannot. */
export type Granted =
  | { readonly ok: true; readonly command: LiveCommand }
  | { readonly ok: false; readonly why: string };

/**
 * What the controller feeds and pages look at. In this order: `begin` once; `beginRun` at the begin of each run, and then `second` once a second; `say` at any
 * time; `end` once. What is fed costs little when nobody looks.
 */
export class LiveBoard {
  private readonly picture = new Picture();
  private readonly listeners = new Set<(told: Told) => void>();
  private hosts = new Map<HostId, LiveHost>();
  /** Since the last second. */
  private warnings = 0;

  begin(session: LiveSession): void {
    this.picture.session = session;
    this.tell(this.all());
  }

  /** @param hosts - All that the run will ever have; viewers who come several times are there once. */
  beginRun(hosts: readonly LiveHost[], happenings: readonly LiveHappening[]): void {
    this.hosts = new Map(hosts.map((host) => [host.id, host]));
    this.note({ is: 'run', run: this.picture.runs.length, hosts, happenings });
  }

  second(second: LiveSecond): void {
    if (this.picture.run === undefined) return;
    const more = this.warnings - WARNINGS_A_SECOND;
    this.warnings = 0;
    if (more > 0) this.say('warning', `and ${more} more like that within a second`);
    this.warnings = 0;
    this.note({ is: 'second', ...this.packed(second) });
  }

  /**
   * Warnings beyond a few of a second are counted instead: where hundreds stand still at once, nobody reads who does.
   * @param host - Whom it is about.
   */
  say(tone: LiveLine['tone'], text: string, host: HostId | null = null): void {
    if (tone === 'warning' && ++this.warnings > WARNINGS_A_SECOND) return;
    const run = Math.max(0, this.picture.runs.length - 1);
    this.note({ is: 'line', line: { run, atMs: this.picture.atMs, tone, text, host } });
  }

  end(end: LiveEnd): void {
    this.note({ is: 'end', end });
  }

  /** Everything there is to know, for a page that has just opened or has missed something. */
  all(): Told {
    return { is: 'all', format: TOLD_FORMAT, picture: this.picture.whole() };
  }

  /** Calls for everything that is told from now on. Gives back how to stop that. */
  listen(listener: (told: Told) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Looks whether a wish can be met, and says so to all; leaves hosts out for which it makes no sense, as long as some are left. */
  ask(wish: LiveWish): Granted {
    const granted = this.grant(wish);
    if (granted.ok) this.say('asked', this.askedText(granted.command));
    return granted;
  }

  private grant(wish: LiveWish): Granted {
    if (this.picture.end !== null) return { ok: false, why: 'the session is over' };
    if (wish.do === 'end') return { ok: true, command: wish };
    if (this.picture.run === undefined || this.picture.phase !== 'running') {
      return { ok: false, why: 'no run is under way' };
    }
    const asked = this.asked(wish.hosts);
    if (asked.length === 0) return { ok: false, why: 'there are no such hosts' };
    const hosts = asked.filter((host) => this.makesSense(wish.do, host)).map(({ id }) => id);
    if (hosts.length === 0) return { ok: false, why: NONE[wish.do] };
    return { ok: true, command: wish.do === 'throttle' ? { ...wish, hosts } : { do: wish.do, hosts } };
  }

  private askedText(command: LiveCommand): string {
    if (command.do === 'end') return 'Asked for here: the session ends early';
    const { hosts } = command;
    const [first] = hosts;
    const who = hosts.length === 1 ? (this.hosts.get(first!)?.name ?? '') : `${hosts.length} hosts`;
    const what = command.do === 'throttle' ? `throttle to ${Math.round(command.to * 1000) / 10} %:` : command.do;
    return `Asked for here: ${what} ${who}`;
  }

  private asked(hosts: WishedHosts): LiveHost[] {
    if (hosts === 'all') return [...this.hosts.values()].filter(isViewer);
    return hosts.flatMap((id) => this.hosts.get(id) ?? []);
  }

  private makesSense(what: 'start' | 'stop' | 'kill' | 'throttle', host: LiveHost): boolean {
    if (!isViewer(host)) {
      const isUp = this.picture.servers.get(host.id)?.isUp ?? false;
      return what === 'start' ? !isUp : what === 'kill' && isUp;
    }
    const viewer = this.picture.viewers.get(host.id);
    if (what === 'throttle') return true;
    if (what === 'start') return viewer?.state === 'left' || viewer?.state === 'dead';
    return viewer !== undefined && isHere(viewer);
  }

  private packed({ phase, atMs, viewers, servers, flows, machine }: LiveSecond): ToldSecond {
    const now = new Map<HostId, LiveViewer>(this.picture.viewers);
    for (const viewer of viewers) now.set(viewer.id, viewer);
    const busy = Math.round(machine.busy * 1000) / 1000;
    return {
      phase,
      atMs: Math.round(atMs),
      moving: this.picture.changed(viewers.map(packMoving), 'moving'),
      lasting: this.picture.changed(viewers.map(packLasting), 'lasting'),
      servers: packServers(servers),
      flows: packFlows(flows),
      machine: { busy, saturatedBy: machine.saturatedBy },
      totals: phase === 'running' ? totalsOf(Math.round(atMs), now.values(), busy) : null,
    };
  }

  private note(told: Exclude<Told, { is: 'all' }>): void {
    this.picture.apply(told);
    this.tell(told);
  }

  private tell(told: Told): void {
    for (const listener of this.listeners) listener(told);
  }
}

function isViewer({ kind }: LiveHost): boolean {
  return kind === 'viewer' || kind === 'browser';
}

function packServers(servers: readonly LiveServer[]): number[] {
  return servers.flatMap(({ id, isUp, sentBps }) => [id, isUp ? 1 : 0, kbits(sentBps)]);
}

const NONE = {
  start: 'none of these has left or is dead: who is there or still to come cannot be started',
  stop: 'none of these is a viewer who is there',
  kill: 'none of these is there',
  throttle: 'only viewers can be throttled here',
} as const;
