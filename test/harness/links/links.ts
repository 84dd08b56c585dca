/** What the two ways of making links have in common: by the kernel, between namespaces, and by token buckets in each program. */

/** A machine of the scenario, as the network knows it. */
export interface Host {
  /** Such as `viewer 12` or `INS server 0`. */
  readonly name: string;
  /** IPv4, its own: links, rates and counts go by it. */
  readonly address: string;
  /** Its number in {@link Delays}. */
  readonly region: number;
  /** What its link carries, in bits per second, everything from IP upwards counted in namespaces, what sockets carry in buckets. */
  readonly upBps: number;
  readonly downBps: number;
}

/** One-way delays in ms between regions, row from, column to; the diagonal is the delay inside a region. */
export type Delays = readonly (readonly number[])[];

/** Something that happens to links. Hosts go by their addresses. */
export type LinkOrder =
  | { readonly do: 'rates'; readonly host: string; readonly upBps: number; readonly downBps: number }
  /** All its connections break once, both ends are told. */
  | { readonly do: 'drop'; readonly host: string }
  /** That share (0 … 1) of its connections is half open from now on: nothing comes, and nobody is told. */
  | { readonly do: 'lose'; readonly host: string; readonly share: number; readonly seed: number }
  /** It stands still: nothing comes to it or from it, and all of it comes after. */
  | { readonly do: 'hold'; readonly host: string; readonly forMs: number }
  /** It is gone without a word, as in a crash: what it sends from now on goes nowhere, and others find its connections broken. */
  | { readonly do: 'cut-off'; readonly host: string }
  /** It is back, as somebody else, who is honest. */
  | { readonly do: 'reconnect'; readonly host: string }
  /** From now on the blocks that it sends are wrong by a byte. */
  | { readonly do: 'lie'; readonly host: string }
  /** So long nothing gets through between two regions (within one, where both are the same); it comes after. */
  | { readonly do: 'part'; readonly regions: readonly [number, number]; readonly forMs: number };

/** What was seen on the wire from outside of the programs, since the start. */
export interface LinkCounts {
  readonly hosts: readonly HostCounts[];
  /** Who sent block bytes to whom; pairs without any are left out. */
  readonly flows: readonly Flow[];
}

/** By the first byte of each WebSocket message: WebSocket payload and frame headers. */
export interface HostCounts {
  readonly address: string;
  readonly sent: KindCounts;
  readonly received: KindCounts;
}

export interface KindCounts {
  readonly dataBytes: number;
  readonly controlBytes: number;
  /** HTTP: upgrades, pages, playlists. */
  readonly otherBytes: number;
  readonly dataMessages: number;
  readonly controlMessages: number;
}

export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly dataBytes: number;
}
