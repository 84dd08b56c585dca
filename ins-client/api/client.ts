import { type AccessKind, FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { BLOCK_TTL_SECONDS_DEFAULT, REVOKE_IDS_MAX } from '../../protocol/limits.ts';
import { nameToText } from '../../protocol/names.ts';
import { fromBase64Url } from '../../protocol/text.ts';
import type { SetAttributes } from '../core/io.ts';
import { ClientConnection } from './client-connection.ts';
import { InsError, type Refusal } from './errors.ts';
import { FollowCall } from './follow-call.ts';
import { GetCall, type Wanted } from './get-call.ts';
import { accountOf } from './keys.ts';
import { OneCall, type OneCallOptions } from './one-call.ts';
import type {
  CallOptions,
  FollowOptions,
  GetOptions,
  InsClientOptions,
  InsState,
  LockerOptions,
  LockerStatus,
  ObjectAttributes,
  PutOptions,
  ServerInfo,
} from './options.ts';
import type { Platform } from './platform.ts';
import { type ObjectToPut, PutCall } from './put-call.ts';
import type { DeleteResult, DoneObject, GetResult, PutResult, RefusedObject } from './results.ts';
import {
  type CollectionLike,
  collectionBytes,
  type NameLike,
  nameBytes,
  openerOf,
  type TokenLike,
  tokenBytes,
} from './texts.ts';
import { makeToken, readToken, type ServerId, type TokenClaims } from './token.ts';
import type { Call, RequestInput } from './wire.ts';

const BUFFER_BYTES = 16 * 1024 * 1024;
const NAMES_AT_ONCE = 4_096;

/** A client of one INS server: all that an application can ask of it. Made by `connectIns`. */
export class InsClient {
  readonly url: string;
  /** How others name us: the holder of a token, for instance. */
  readonly account: string;
  private readonly options: InsClientOptions;
  private readonly platform: Platform;
  private readonly connection: ClientConnection;

  constructor(options: InsClientOptions, platform: Platform) {
    checkUrl(options.url);
    this.options = options;
    this.platform = platform;
    this.url = options.url;
    this.account = accountOf(options.keys);
    this.connection = new ClientConnection(options, platform);
  }

  /** How the connection is. */
  get state(): InsState {
    return this.connection.state;
  }

  /** @returns Stops telling. */
  onState(listener: (state: InsState) => void): () => void {
    return this.connection.onState(listener);
  }

  /** Resolves when the server has been reached. Calls need not wait for it: they do so themselves. */
  ready({ signal }: CallOptions = {}): Promise<ServerInfo> {
    const { state } = this;
    if (state.kind === 'ready') return Promise.resolve(state.server);
    return new Promise((resolve, reject) => {
      const call: Call = {
        startedAtMs: this.platform.clock.nowMs(),
        begin() {},
        fail: (error) => {
          over();
          reject(error);
        },
      };
      const stopListening = this.onState((now) => {
        if (now.kind !== 'ready') return;
        over();
        resolve(now.server);
      });
      const over = this.connection.add(call, signal, (reason) => call.fail(reason), stopListening);
    });
  }

  /**
   * Asks for any number of blocks and gives each as it comes, verified, or why it does not come. Asking begins at once; what
   * nobody reads is bounded by `bufferBytes`. Leaving the loop cancels what is left.
   *
   * @throws While reading: {@link InsError} when the whole call fails; the signal's reason; what `wanted` throws.
   */
  getObjects(
    wanted: Iterable<Wanted> | AsyncIterable<Wanted>,
    options: GetOptions = {},
  ): AsyncIterableIterator<GetResult, undefined> {
    const { signal, collection, deadlineMs = null, keep = false } = options;
    const settings = {
      keep,
      deadlineMs,
      token: openerOf(options),
      collection: collection === undefined ? null : collectionBytes(collection),
      bufferBytes: this.bufferBytes(options),
    };
    const call = new GetCall(this.connection.wire, wanted, settings, () => over());
    const over = this.connection.add(call, signal, (reason) => call.abort(reason));
    return call.results;
  }

  /** One block's bytes. @throws {@link InsError} when it cannot be had. */
  async getObject(wanted: Wanted, options: GetOptions = {}): Promise<Uint8Array> {
    const { value } = await this.getObjects([wanted], options).next();
    if (value?.ok === true) return value.bytes;
    throw value === undefined ? new InsError({ reason: 'NO_OBJECT' }) : new InsError(value, value.name ?? undefined);
  }

  /**
   * Puts any number of blocks into our locker, or into the one that a token opens; they are taken from `objects` as the server takes them. The results have the order of the
   * objects. A block whose result is ok can be had by others from then on.
   */
  async putObjects(
    objects: Iterable<ObjectToPut> | AsyncIterable<ObjectToPut>,
    options: PutOptions = {},
  ): Promise<readonly PutResult[]> {
    const { signal, collection, ttlSeconds = BLOCK_TTL_SECONDS_DEFAULT, askFirst = false } = options;
    if (askFirst) await this.ready({ signal });
    const settings = {
      ttlSeconds,
      askFirst,
      token: openerOf(options),
      collection: collection === undefined ? null : collectionBytes(collection),
    };
    const call = new PutCall(this.connection.wire, objects, settings, () => over());
    const over = this.connection.add(call, signal, (reason) => call.fail(reason));
    return call.results;
  }

  /** Puts one block. @returns Its name. @throws {@link InsError} when it was not stored. */
  async putObject(object: ObjectToPut, options: PutOptions = {}): Promise<string> {
    const [result] = await this.putObjects([object], options);
    if (result?.ok === true) return result.name;
    throw new InsError(result!, result!.name ?? undefined);
  }

  /**
   * Has the server file blocks of others in our own locker without sending them here, for as long as the originals live. The results have
   * the order of the names.
   */
  keepObjects(names: Iterable<NameLike>, options: LockerOptions): Promise<readonly PutResult[]> {
    const token = openerOf(options);
    return this.each(names, options, 'stored', (handle, some) => {
      const items = some.map((name) => ({ token, name, label: null, deadlineAtMs: null }));
      return { kind: 'get', handle, keep: true, deliver: false, collection: null, items };
    });
  }

  /** Takes blocks out of a locker. The results have the order of the names. */
  deleteObjects(names: Iterable<NameLike>, options: LockerOptions = {}): Promise<readonly DeleteResult[]> {
    const token = openerOf(options);
    return this.each(names, options, 'deleted', (handle, some) => ({ kind: 'delete', handle, token, names: some }));
  }

  /** Takes one block out of a locker. @throws {@link InsError} when it cannot. */
  async deleteObject(name: NameLike, options: LockerOptions = {}): Promise<void> {
    const [result] = await this.deleteObjects([name], options);
    if (result?.ok === false) throw new InsError(result, result.name ?? undefined);
  }

  /** What is known of a block in a locker on this server. @throws {@link InsError} when there is none. */
  attributes(name: NameLike, options: LockerOptions = {}): Promise<ObjectAttributes> {
    return this.describe(name, null, options);
  }

  /** Changes a block's time to live (from now on) and its media type; what is left out stays. @returns What is known then. */
  setAttributes(
    name: NameLike,
    set: { readonly ttlSeconds?: number; readonly mediaType?: string },
    options: LockerOptions = {},
  ): Promise<ObjectAttributes> {
    return this.describe(name, { ttlSeconds: set.ttlSeconds ?? 0, mediaType: set.mediaType ?? null }, options);
  }

  private describe(name: NameLike, set: SetAttributes | null, options: LockerOptions): Promise<ObjectAttributes> {
    const wanted = nameBytes(name);
    const token = openerOf(options);
    let attributes: ObjectAttributes | undefined;
    return this.one(options, {
      make: (handle) => ({ kind: 'describe', handle, token, name: wanted, set }),
      take(output) {
        if (output.kind === 'refused') throw new InsError(output, nameToText(wanted));
        if (output.kind === 'attributes') attributes = output.attributes;
      },
      result: () => attributes!,
    });
  }

  /** What is in a locker: ours, or that of a token which allows to ask. */
  async status(options: LockerOptions = {}): Promise<LockerStatus> {
    const token = openerOf(options);
    let status: LockerStatus | undefined;
    return this.one(options, {
      make: (handle) => ({ kind: 'status', handle, token }),
      take(output) {
        if (output.kind === 'refused') throw new InsError(output);
        if (output.kind !== 'usage') return;
        const { names, ...usage } = output.usage;
        status = { ...usage, names: names.map(nameToText) };
      },
      result: () => status!,
    });
  }

  /**
   * Brings all blocks of a collection as they are put, with their labels and companions, until the loop is left or it fails. A
   * reader that is too slow gets what is still there when it has caught up: look at the labels for gaps.
   */
  follow(options: FollowOptions): AsyncIterableIterator<GetResult, undefined> {
    const { signal, tracks = [], from = 'newest', keep = false } = options;
    const settings = {
      keep,
      tracks,
      token: openerOf(options),
      collection: collectionBytes(options.collection),
      from: from === 'newest' ? FROM_NEWEST_START : from,
      bufferBytes: this.bufferBytes(options),
    };
    const call = new FollowCall(this.connection.wire, settings, () => over());
    const over = this.connection.add(call, signal, (reason) => call.abort(reason));
    return call.results;
  }

  /**
   * Makes a token for our locker on this server, or on those named. No server is asked, but this one's key has to be known: it waits
   * for the first connection where no servers are named.
   */
  async generateToken(claims: TokenClaims, servers?: readonly ServerId[]): Promise<string> {
    const named = servers ?? [this.connection.server ?? (await this.ready())];
    const { clock, randomBytes } = this.platform;
    const nowMs = clock.nowMs() + (this.connection.server?.clockOffsetMs ?? 0);
    return makeToken(this.options.keys, named, claims, { nowMs, randomBytes });
  }

  /** What runs under `old` goes on under `token`: a newer one of the same locker. */
  renewToken(old: TokenLike, token: TokenLike): void {
    this.connection.input({ kind: 'renew', old: tokenBytes(old), token: tokenBytes(token) });
  }

  /** Makes tokens of ours void on this server: these, and all whose epoch is below `epoch`. It lasts as long as they would have. */
  async revokeTokens(
    { tokens = [], epoch }: { readonly tokens?: readonly TokenLike[]; readonly epoch?: number },
    options: CallOptions = {},
  ): Promise<void> {
    const ids = tokens.map((token) => fromBase64Url(readToken(token).id)!);
    for (let from = 0; from < Math.max(ids.length, 1); from += REVOKE_IDS_MAX) {
      const some = ids.slice(from, from + REVOKE_IDS_MAX);
      await this.one(options, {
        make: (handle) => ({ kind: 'revoke', handle, ids: some, epoch: epoch ?? null }),
        take() {},
        result: () => {},
      });
    }
  }

  /** Who may read a collection in our locker without a token: nobody (`private`), accounts of our application (`members`), everybody. */
  async setAccess(collection: CollectionLike, access: AccessKind, options: CallOptions = {}): Promise<void> {
    const id = collectionBytes(collection);
    return this.one(options, {
      make: (handle) => ({ kind: 'access', handle, collection: id, access }),
      take() {},
      result: () => {},
    });
  }

  /** Has the server hand this token to all who follow our locker, in place of the one they have. Kept over reconnects. */
  announceToken(token: TokenLike): void {
    this.connection.input({ kind: 'range-token', token: tokenBytes(token) });
  }

  /** Ends all calls with CLOSED, and the connection within about a second. */
  close(): Promise<void> {
    return this.connection.close();
  }

  /** Asks something of each of many blocks. */
  private async each(
    names: Iterable<NameLike>,
    options: CallOptions,
    done: 'stored' | 'deleted',
    make: (handle: number, names: readonly Uint8Array[]) => RequestInput,
  ): Promise<readonly (DoneObject | RefusedObject)[]> {
    const wanted = Array.from(names, nameBytes);
    const results: (DoneObject | RefusedObject)[] = [];
    for (let from = 0; from < wanted.length; from += NAMES_AT_ONCE) {
      const some = wanted.slice(from, from + NAMES_AT_ONCE);
      const note = (at: number, refusal?: Refusal): void => {
        const item = from + at;
        const name = nameToText(some[at]!);
        if (refusal === undefined) results[item] = { ok: true, item, name };
        else {
          const { reason, retryAfterMs, otherServer } = refusal;
          results[item] = { ok: false, item, name, reason, retryAfterMs, otherServer };
        }
      };
      await this.one(options, {
        make: (handle) => make(handle, some),
        take(output) {
          if (output.kind === done) for (const at of output.items) note(at);
          else if (output.kind === 'refused' && output.item !== null) note(output.item, output);
        },
        result: () => {},
      });
    }
    return results;
  }

  private one<T>({ signal }: CallOptions, options: OneCallOptions<T>): Promise<T> {
    const call = new OneCall(this.connection.wire, options, () => over());
    const over = this.connection.add(call, signal, (reason) => call.fail(reason));
    return call.result;
  }

  private bufferBytes({ bufferBytes = this.options.bufferBytes ?? BUFFER_BYTES }: { bufferBytes?: number }): number {
    if (bufferBytes > 0) return bufferBytes;
    throw new RangeError(`bufferBytes is ${bufferBytes}; it must be a positive number`);
  }
}

function checkUrl(url: string): void {
  if (!/^wss?:\/\/[^/]+/.test(url))
    throw new TypeError(`${JSON.stringify(url)} is no address of an INS server: expected ws://HOST:PORT or wss://…`);
}
