import type { Prng } from '../../../machine/prng.ts';
import type { Happening } from '../../../scenarios/plan/scenario.ts';
import type { Host, LinkOrder } from '../links/links.ts';
import type { Layout } from './layout.ts';

/** What has to be done when something happens. Viewers go by the place of their stays in the list that was given. */
export type Deed =
  | { readonly do: 'link'; readonly order: LinkOrder }
  | { readonly do: 'kill-server' | 'start-server'; readonly host: Host }
  | { readonly do: 'crash'; readonly viewer: number };

/**
 * What a happening comes to. The viewers whom it meets are drawn as the simulator draws them.
 *
 * @param there - The viewers who are there, in the order of their coming.
 * @param prng - The happening's own.
 */
export function deedsOf(happening: Happening, layout: Layout, there: readonly number[], prng: Prng): Deed[] {
  const link = (order: LinkOrder): Deed => ({ do: 'link', order });
  const some = (share: number): number[] => prng.sample([...there], Math.round(share * there.length));
  const each = (share: number, make: (host: Host) => LinkOrder): Deed[] =>
    some(share).map((viewer) => link(make(layout.viewers[viewer]!)));
  const ins = (server: number, make: (host: Host) => Deed): Deed[] => {
    const host = layout.ins[server];
    return host === undefined ? [] : [make(host)];
  };
  switch (happening.what) {
    case 'ins-dies':
      return ins(happening.server, (host) => ({ do: 'kill-server', host }));
    case 'ins-back':
      return ins(happening.server, (host) => ({ do: 'start-server', host }));
    case 'tracker-dies':
      return [{ do: 'kill-server', host: layout.tracker }];
    case 'tracker-back':
      return [{ do: 'start-server', host: layout.tracker }];
    case 'ins-drops-links':
      return ins(happening.server, ({ address }) => link({ do: 'drop', host: address }));
    case 'source-drops-links':
      return [link({ do: 'drop', host: layout.source.address })];
    case 'viewers-drop-links':
      return each(happening.share, ({ address }) => ({ do: 'drop', host: address }));
    case 'viewers-lose-links': {
      const { share } = happening;
      return each(1, ({ address }) => ({ do: 'lose', host: address, share, seed: prng.u32() }));
    }
    case 'partition':
      return [link({ do: 'part', regions: happening.regions, forMs: happening.forMs })];
    case 'ins-stalls':
      return ins(happening.server, ({ address }) => link({ do: 'hold', host: address, forMs: happening.forMs }));
    case 'viewers-stall':
      return each(happening.share, ({ address }) => ({ do: 'hold', host: address, forMs: happening.forMs }));
    case 'ins-throttled':
      return ins(happening.server, (host) => link(throttled(host, happening.to)));
    case 'viewers-throttled':
      return each(happening.share, (host) => throttled(host, happening.to));
    case 'viewers-lie':
      return each(happening.share, ({ address }) => ({ do: 'lie', host: address }));
    case 'viewers-crash':
      return some(happening.share).map((viewer) => ({ do: 'crash', viewer }));
  }
}

/** @param to - The share of what its links did at first. */
export function throttled({ address, upBps, downBps }: Host, to: number): LinkOrder {
  return { do: 'rates', host: address, upBps: Math.round(upBps * to), downBps: Math.round(downBps * to) };
}

/** A sentence for people, such as the time line shows. */
export function happeningText(happening: Happening, regions: readonly string[]): string {
  const share = 'share' in happening ? `${Math.round(happening.share * 100)} % of the viewers` : '';
  const server = 'server' in happening ? `INS server ${happening.server}` : '';
  const forS = 'forMs' in happening ? ` for ${happening.forMs / 1000} s` : '';
  const to = 'to' in happening ? `${Math.round(happening.to * 100)} % of its rate` : '';
  switch (happening.what) {
    case 'ins-dies':
      return `${server} dies`;
    case 'ins-back':
      return `${server} is back, with nothing stored`;
    case 'ins-stalls':
      return `${server} stands still${forS}`;
    case 'ins-throttled':
      return `${server} has ${to}`;
    case 'ins-drops-links':
      return `${server} loses all connections`;
    case 'tracker-dies':
      return 'the tracker dies';
    case 'tracker-back':
      return 'the tracker is back';
    case 'source-drops-links':
      return 'the source loses all connections';
    case 'viewers-drop-links':
      return `${share} lose all connections`;
    case 'viewers-lose-links':
      return `${share.replace('the viewers', 'all viewers’ connections')} are half open`;
    case 'viewers-stall':
      return `${share} stand still${forS}`;
    case 'viewers-throttled':
      return `${share} have ${to.replace('its', 'their')}`;
    case 'viewers-lie':
      return `${share} give others wrong bytes`;
    case 'viewers-crash':
      return `${share} crash`;
    case 'partition': {
      const [one, other] = happening.regions.map((region) => regions[region]!);
      return one === other
        ? `nothing gets through within ${one}${forS}`
        : `nothing gets through between ${one} and ${other}${forS}`;
    }
  }
}
