import type { Delays, LinkCounts, LinkOrder } from '../links.ts';

/** What the lab asks the relay over the channel between them; each is answered once, by its number. */
export type RelayAsk =
  /** Comes first, once. Listens on these ports of all hosts. */
  | { readonly ask: 'begin'; readonly delaysMs: Delays; readonly ports: readonly number[] }
  /** These hosts are there from now on, or there again. */
  | { readonly ask: 'hosts'; readonly hosts: readonly { readonly address: string; readonly region: number }[] }
  /** Their program has ended. */
  | { readonly ask: 'gone'; readonly addresses: readonly string[] }
  | { readonly ask: 'order'; readonly order: LinkOrder }
  | { readonly ask: 'counts' };

export type ToRelay = RelayAsk & { readonly id: number };

export type FromRelay =
  | { readonly id: number; readonly answer: RelayAnswer | null }
  | { readonly id: number; readonly error: string };

/** To `counts`. */
export interface RelayAnswer {
  readonly counts: LinkCounts;
  readonly health: RelayHealth;
}

/** How well the relay keeps its times. */
export interface RelayHealth {
  /** Processor time since its start, in seconds. */
  readonly cpuSeconds: number;
  /** How late bytes were passed on since the last time this was asked, on average and at worst, in ms. */
  readonly lateMeanMs: number;
  readonly lateMaxMs: number;
  readonly connections: number;
}
