import type { LinkId } from '../../../machine/machine.ts';
import { nameToText } from '../../../protocol/names.ts';
import { CLOSE, REASONS } from '../../../protocol/reasons.ts';
import { toBase64Url } from '../../../protocol/text.ts';
import { decodeToken } from '../../../protocol/token.ts';
import type { GuestCall, InsServerInput, InsServerOutput, StoredBlock } from '../../core/io.ts';
import type { Exchange } from './exchange.ts';
import { addressGroup, contentType, isKnown, parseRange } from './parse.ts';

type GuestOutput = Extract<InsServerOutput, { readonly kind: 'send' | 'send-block' | 'placed' | 'close' }>;
type SendBlock = Extract<InsServerOutput, { readonly kind: 'send-block' }>;

interface Guest {
  readonly link: LinkId;
  readonly exchange: Exchange;
  readonly call: GuestCall;
  readonly token: Uint8Array | null;
  place: Extract<InsServerOutput, { readonly kind: 'placed' }> | undefined;
  /** What it gets is decided, though the store may still be loading it. */
  isSettled: boolean;
  isLoading: boolean;
}

/** Messages that answer a request. */
const ANSWERS: ReadonlySet<string> = new Set(['refused', 'stored', 'deleted', 'usage']);
/** How often readers are looked after. */
const WATCH_MS = 1_000;

export interface GuestDeskOptions {
  readonly input: (input: InsServerInput) => void;
  /** A number for a link that none had before. */
  readonly nextLink: () => LinkId;
  /** The bytes of a block; undefined when they are lost. */
  readonly load: (block: StoredBlock) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** The HTTP requests that the core is answering, and what it says to them. */
export class GuestDesk {
  private readonly guests = new Map<LinkId, Guest>();
  private readonly options: GuestDeskOptions;
  private readonly watch: NodeJS.Timeout;

  constructor(options: GuestDeskOptions) {
    this.options = options;
    this.watch = setInterval(() => this.look(), WATCH_MS);
  }

  /** Puts a request to the core; its link. */
  ask(exchange: Exchange, call: GuestCall, token: Uint8Array | null): LinkId {
    const { input, nextLink } = this.options;
    const link = nextLink();
    this.guests.set(link, { link, exchange, call, token, place: undefined, isSettled: false, isLoading: false });
    exchange.onEnd(() => {
      this.guests.delete(link);
      input({ kind: 'link-closed', link });
    });
    const { ip } = exchange.request;
    input({ kind: 'asked', link, address: addressGroup(ip), token, call });
    return link;
  }

  /** Carries out what the core says to a guest. */
  perform(output: GuestOutput): void {
    const guest = this.guests.get(output.link);
    // The core has forgotten it.
    if (output.kind === 'close') this.guests.delete(output.link);
    if (guest === undefined || guest.isSettled) {
      // The core closes those who do not take what they have asked for.
      if (output.kind === 'close') guest?.exchange.cut();
      return;
    }
    const { exchange } = guest;
    // A refused token is told of again with the request that it was for; a notice, with the close.
    guest.isSettled = output.kind === 'send' ? ANSWERS.has(output.message.type) : output.kind !== 'placed';
    switch (output.kind) {
      case 'send':
        this.said(guest, output.message);
        return;
      case 'send-block':
        this.sendBlock(guest, output);
        return;
      case 'placed':
        guest.place = output;
        return;
      case 'close':
        exchange.refuse({
          reason: output.code === CLOSE.goingAway ? 'DRAINING' : 'OVERLOAD',
          text: output.why,
          retryAfterMs: 2_000,
        });
    }
  }

  close(): void {
    clearInterval(this.watch);
  }

  private said(guest: Guest, message: Extract<InsServerOutput, { readonly kind: 'send' }>['message']): void {
    const { exchange, token } = guest;
    switch (message.type) {
      case 'refused': {
        const { reason, retryAfterMs, otherServer } = message;
        const text = reason === 'TOKEN_SCOPE' && isBound(token) ? BOUND : REASONS[reason].text;
        // A put whose bytes have not come is the sender's own delay.
        const isLate = reason === 'DEADLINE' && exchange.request.method === 'PUT';
        exchange.refuse({ reason, text, retryAfterMs, otherServer, ...(isLate ? { status: 408 } : {}) });
        return;
      }
      case 'usage': {
        const { type, request, item, names, ...usage } = message;
        exchange.json(200, { ...usage, newest: names.map(nameToText) }, { 'cache-control': 'no-store' });
        return;
      }
      case 'stored':
        this.stored(guest);
        return;
      case 'deleted':
        exchange.empty(204);
    }
  }

  private stored({ exchange, call, place }: Guest): void {
    if (call.kind !== 'put' || place === undefined) return;
    const { name, ttlSeconds } = call;
    const { collection, label, known } = place;
    const filed = { name: nameToText(name), collection: toBase64Url(collection), ...label, ttlSeconds };
    exchange.json(known ? 200 : 201, filed, { etag: etagOf(name), location: pathOf(name) });
  }

  private sendBlock(guest: Guest, { header, block, mediaType }: SendBlock): void {
    const { exchange, token } = guest;
    const { headers } = exchange.request;
    const etag = etagOf(block.name);
    const fields = {
      etag,
      'accept-ranges': 'bytes',
      // Who may read it is the token's business, so it is for no cache that many share.
      'cache-control': `${token === null ? 'public' : 'private'}, max-age=${header.labelled?.lifeSeconds ?? 0}, immutable`,
    };
    const typed = { ...fields, ...NO_PAGE, 'content-type': contentType(mediaType) };
    const { bodyless } = guest.call as Extract<GuestCall, { readonly kind: 'get' }>;
    if (bodyless) {
      if (isKnown(headers, etag)) exchange.empty(304, fields);
      else exchange.empty(200, { ...typed, 'content-length': block.sizeBytes });
      return;
    }
    const range = parseRange(headers, etag, block.sizeBytes);
    if (range === null) {
      const head = { 'content-range': `bytes */${block.sizeBytes}` };
      exchange.json(416, { reason: 'SIZE', text: 'the block has no such bytes', retryAfterMs: 0 }, head);
      return;
    }
    const deliver = (bytes: Uint8Array | undefined): void => {
      guest.isLoading = false;
      if (bytes === undefined) {
        this.options.input({ kind: 'load-failed', link: guest.link, header, block });
        exchange.refuse({ reason: 'NO_OBJECT' });
      } else if (range === undefined) exchange.block(200, typed, bytes);
      else {
        const { first, last } = range;
        const part = { ...typed, 'content-range': `bytes ${first}-${last}/${block.sizeBytes}` };
        exchange.block(206, part, bytes.subarray(first, last + 1));
      }
    };
    const loaded = this.options.load(block);
    guest.isLoading = loaded instanceof Promise;
    if (loaded instanceof Promise) loaded.catch(() => undefined).then(deliver);
    else deliver(loaded);
  }

  /** Tells the core whose bytes are leaving, or still come from the store, so that it can end the others. */
  private look(): void {
    for (const { link, exchange, isLoading } of [...this.guests.values()]) {
      const leftBytes = exchange.progress();
      if (isLoading) this.options.input({ kind: 'loading', link });
      else if (leftBytes !== undefined) this.options.input({ kind: 'drained', link, leftBytes });
    }
  }
}

/** Bytes of strangers: never run, never guessed at, never shown as a page of this server. */
const NO_PAGE = {
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
};

const BOUND = 'the token is for the holder of a key, which HTTP cannot prove: use a bearer token, or the INS protocol';

function isBound(token: Uint8Array | null): boolean {
  return token !== null && (decodeToken(token)?.token.holder ?? null) !== null;
}

export function etagOf(name: Uint8Array): string {
  return `"${toBase64Url(name.subarray(1))}"`;
}

function pathOf(name: Uint8Array): string {
  return `/.well-known/ni/blake3/${toBase64Url(name.subarray(1))}`;
}
