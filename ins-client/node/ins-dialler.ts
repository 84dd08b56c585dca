import { dialLink, type LinkOptions } from '../../runtime/node/ws-link.ts';
import { Dialler, type DiallerOptions } from '../api/dialler.ts';

export interface InsDiallerOptions extends Omit<DiallerOptions, 'dial'> {
  readonly link?: LinkOptions;
}

/** The network side of one INS conversation, over the sockets of Node. */
export class InsDialler extends Dialler {
  constructor({ link, ...options }: InsDiallerOptions) {
    super({ ...options, dial: (url, events) => dialLink(url, events, link) });
  }
}
