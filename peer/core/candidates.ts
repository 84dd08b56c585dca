import type { Prng } from '../../machine/prng.ts';
import type { NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { bytesKey } from '../../protocol/text.ts';

/** Candidates that are remembered. */
const CANDIDATES_MAX = 64;
/** Ms before a peer that could not be reached, or left, is dialled again; and before a banned one is. */
const AGAIN_AFTER_MS = 10_000;
const BAN_MS = 600_000;
const STRIKES_MAX = 3;

interface Candidate {
  url: string | null;
  source: boolean;
  dialling: boolean;
  notBeforeMs: number;
  strikes: number;
}

/** Peers that the tracker introduced: whom to dial next, and whom never again. */
export class Candidates {
  private readonly byId = new Map<string, Candidate>();
  private source: Candidate | undefined;

  add({ peer, url, source }: NeighbourEntry): void {
    const known = this.of(bytesKey(peer));
    known.url = url;
    known.source = source;
    if (source) this.source = known;
  }

  /** Whether the source may be dialled and is not. */
  offersSource(nowMs: number): boolean {
    const { source } = this;
    return source !== undefined && source.url !== null && !source.dialling && source.notBeforeMs <= nowMs;
  }

  remove(id: string): void {
    const known = this.byId.get(id);
    if (known !== undefined && known.strikes === 0) this.drop(id);
  }

  /** Takes up to `count` to dial now; the source, where it may be dialled, beyond them: it feeds the few that feed all others. */
  take(count: number, connected: (id: string) => boolean, prng: Prng, nowMs: number): { id: string; url: string }[] {
    const free: { id: string; url: string }[] = [];
    const taken: { id: string; url: string }[] = [];
    for (const [id, { url, source, dialling, notBeforeMs }] of this.byId) {
      if (url === null || dialling || notBeforeMs > nowMs || connected(id)) continue;
      if (source) taken.push({ id, url });
      else free.push({ id, url });
    }
    taken.push(...prng.sample(free, Math.max(0, count - taken.length)));
    for (const { id } of taken) this.of(id).dialling = true;
    return taken;
  }

  /** A link to it has ended, or never opened. */
  closed(id: string, nowMs: number): void {
    const known = this.of(id);
    known.dialling = false;
    known.notBeforeMs = Math.max(known.notBeforeMs, nowMs + AGAIN_AFTER_MS);
  }

  /** It was not they who hung up: those who are not banned may be dialled at once. */
  redial(nowMs: number): void {
    for (const known of this.byId.values()) if (known.notBeforeMs <= nowMs + AGAIN_AFTER_MS) known.notBeforeMs = 0;
  }

  /** It sent something wrong. @returns True when it is banned now. */
  strike(id: string, nowMs: number): boolean {
    const known = this.of(id);
    if (++known.strikes < STRIKES_MAX) return false;
    known.strikes = 0;
    known.notBeforeMs = nowMs + BAN_MS;
    return true;
  }

  banned(id: string, nowMs: number): boolean {
    return (this.byId.get(id)?.notBeforeMs ?? 0) > nowMs + AGAIN_AFTER_MS;
  }

  ids(): Uint8Array[] {
    return [...this.byId.keys()].slice(0, 64).map((id) => Uint8Array.from(id, (char) => char.charCodeAt(0)));
  }

  /** Makes room: somebody who cannot be dialled and has done nothing, else somebody idle, else the oldest. */
  private evict(): void {
    const all = [...this.byId];
    const idle = all.filter(([, { dialling }]) => !dialling);
    const strangers = idle.filter(([, { url, strikes }]) => url === null && strikes === 0);
    const goes = (strangers[0] ?? idle[0] ?? all[0])?.[0];
    if (goes !== undefined) this.drop(goes);
  }

  private drop(id: string): void {
    if (this.byId.get(id) === this.source) this.source = undefined;
    this.byId.delete(id);
  }

  private of(id: string): Candidate {
    const known = this.byId.get(id) ?? { url: null, source: false, dialling: false, notBeforeMs: 0, strikes: 0 };
    if (!this.byId.has(id) && this.byId.size >= CANDIDATES_MAX) {
      this.evict();
    }
    this.byId.set(id, known);
    return known;
  }
}
