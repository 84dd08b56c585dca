import { InsServer } from '../../ins-server/core/ins-server.ts';
import type {
  InsServerInput,
  InsServerLimits,
  InsServerOptions,
  InsServerOutput,
  StoredBody,
} from '../../ins-server/core/io.ts';
import { INS_SERVER_LIMITS } from '../../ins-server/core/limits.ts';
import type { Body } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import {
  type BatchMessage,
  EMPTY_BATCH,
  EMPTY_GET,
  type FromInsClient,
  type FromInsServer,
  helloSigned,
  insClientCodec,
  insServerCodec,
  type Priority,
  type PutBlock,
} from '../../protocol/ins-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { concatBytes, sameBytes } from '../../protocol/text.ts';
import type { Token } from '../../protocol/token.ts';
import { type KeyPair, verifySignature } from '../../runtime/node/crypto.ts';
import { hashOf, hasName } from '../../runtime/node/hash.ts';
import { blockOf, collectionOf, keysOf, putOf, sealToken } from './helpers.ts';

/** Server cores and their clients without sockets: what one sends the other has at once, time passes when the test says. */
export class CoreNet {
  nowMs = 1_800_000_000_000;
  private readonly servers = new Map<string, CoreServer>();
  private readonly events: (() => void)[] = [];
  private readonly answers: (() => void)[] = [];
  private running = false;

  server(number: number, options: CoreServerOptions = {}): CoreServer {
    const server = new CoreServer(this, number, options);
    this.servers.set(server.url, server);
    return server;
  }

  at(url: string): CoreServer | undefined {
    const server = this.servers.get(url);
    return server?.dead === true ? undefined : server;
  }

  /** Runs what was caused, and what that causes. */
  run(...events: (() => void)[]): void {
    this.events.push(...events);
    if (this.running) return;
    this.running = true;
    for (let event = this.next(); event !== undefined; event = this.next()) event();
    this.running = false;
  }

  /** Runs an answer of the world, which is there before anything else can happen. */
  answer(answer: () => void): void {
    this.answers.push(answer);
    this.run();
  }

  private next(): (() => void) | undefined {
    return this.answers.shift() ?? this.events.shift();
  }

  /** Lets time pass, with all deadlines on the way. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const deadlines = [...this.servers.values()].map((server) => server.nextDeadline());
      const nextMs = Math.min(...deadlines);
      if (nextMs > untilMs) break;
      if (nextMs < this.nowMs) throw new Error(`a deadline ${this.nowMs - nextMs} ms ago that was not dealt with`);
      this.nowMs = nextMs;
      for (const server of this.servers.values()) server.timeout();
    }
    this.nowMs = untilMs;
  }
}

export interface CoreServerOptions {
  limits?: Partial<InsServerLimits>;
  mayDial?: boolean;
  knowsServers?: boolean;
  /** Its store outlives it; what is filed is answered by the test. */
  durable?: boolean;
  core?: Partial<InsServerOptions>;
}

interface LinkEnd {
  message(message: FromInsServer): void;
  block(header: BlockHeader, body: Body): void;
  closed(code: number, why: string): void;
}

export class CoreServer {
  readonly core: InsServer;
  readonly keys: KeyPair;
  readonly url: string;
  readonly bodies = new Map<string, Body>();
  readonly outputs: InsServerOutput[] = [];
  /** Does not answer dials. */
  dead = false;
  /** Hears nothing and answers nothing, but its connections stay; until {@link wake}. */
  silent = false;
  private readonly unheard: InsServerInput[] = [];
  /** Bodies pass through here on their way out. */
  tamper = (body: Body): Body => body;
  private readonly net: CoreNet;
  private readonly ends = new Map<number, LinkEnd>();
  private readonly upstreams = new Map<number, { readonly server: CoreServer; readonly link: number }>();
  private links = 0;

  constructor(net: CoreNet, number: number, options: CoreServerOptions) {
    this.net = net;
    this.keys = keysOf(200 + number);
    this.url = `ws://server-${number}`;
    this.core = new InsServer({
      key: this.keys.publicKey,
      seed: number,
      mayDial: () => options.mayDial ?? true,
      isKnownServer: () => options.knowsServers ?? false,
      durable: options.durable ?? false,
      startedAtMs: net.nowMs,
      ...options.core,
      limits: { ...INS_SERVER_LIMITS, ...options.limits },
    });
  }

  /** Opens a link without a hello. */
  open(end: LinkEnd, origin?: string): number {
    const link = ++this.links;
    this.ends.set(link, end);
    const nonce = new Uint8Array(32).fill(link);
    this.input({ kind: 'link-opened', link, nonce, ...(origin === undefined ? {} : { origin }) });
    return link;
  }

  /** A client whose key has been accepted. */
  connect(keys: KeyPair, application = 'test', invitation: Uint8Array | null = null, origin?: string): CoreClient {
    const client = new CoreClient(this, keys, origin);
    if (client.closed !== undefined) return client;
    client.hello(application, invitation);
    return client;
  }

  /** A range token of `issuer` for its locker here. */
  token(issuer: KeyPair, claims: Partial<Token> = {}): Uint8Array {
    return sealToken(issuer, [{ key: this.keys.publicKey, url: this.url }], claims, this.net.nowMs);
  }

  input(input: InsServerInput): void {
    this.net.run(() => this.take(input));
  }

  private answer(input: InsServerInput): void {
    this.net.answer(() => this.take(input));
  }

  /** Hears all that was said to it meanwhile. */
  wake(): void {
    this.silent = false;
    for (const input of this.unheard.splice(0)) this.input(input);
  }

  private take(input: InsServerInput): void {
    if (this.silent) {
      this.unheard.push(input);
      return;
    }
    this.core.handleInput(input, this.net.nowMs);
    this.drain();
  }

  nextDeadline(): number {
    return (this.silent ? undefined : this.core.nextDeadline()) ?? Number.POSITIVE_INFINITY;
  }

  timeout(): void {
    this.net.run(() => {
      if (this.silent) return;
      this.core.handleTimeout(this.net.nowMs);
      this.drain();
    });
  }

  private drain(): void {
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput())
      this.perform(output);
  }

  private perform(output: InsServerOutput): void {
    this.outputs.push(output);
    switch (output.kind) {
      case 'send': {
        const end = this.ends.get(output.link);
        // Through the codec: what the core says must be sayable.
        const decoded = insServerCodec.decode(insServerCodec.encode(output.message));
        if (!decoded.ok) throw new Error(decoded.violation);
        this.net.run(() => end?.message(decoded.message!));
        return;
      }
      case 'send-block': {
        const end = this.ends.get(output.link);
        const body = this.bodies.get(output.block.key)!;
        this.net.run(() => end?.block(output.header, this.tamper(body)));
        return;
      }
      case 'close': {
        const end = this.ends.get(output.link);
        this.ends.delete(output.link);
        this.net.run(() => end?.closed(output.code, output.why));
        return;
      }
      case 'verify':
        this.answer({
          kind: 'verified',
          ref: output.ref,
          ok: verifySignature(output.key, output.signed, output.signature),
        });
        return;
      case 'check-name':
        this.answer({ kind: 'named', ref: output.ref, ok: hasName(output.body as Uint8Array, output.name) });
        return;
      case 'check-proof': {
        const { ref, prefix, proof, block, sizeBytes } = output;
        const held = block === null ? undefined : (this.bodies.get(block.key) as Uint8Array | undefined);
        const hashed = hashOf(concatBytes(prefix, held ?? new Uint8Array(sizeBytes)));
        this.answer({ kind: 'proved', ref, ok: held !== undefined && sameBytes(hashed, proof) });
        return;
      }
      case 'store':
        this.bodies.set(output.block.key, output.body);
        this.answer({ kind: 'stored', ref: output.ref, ok: true });
        return;
      case 'drop':
        this.bodies.delete(output.block.key);
        return;
      case 'upstream':
        this.upstream(output);
        return;
      case 'upstream-end':
      case 'turned-away':
      case 'file':
      case 'unfile':
        return;
    }
  }

  private upstream({ upstream, output }: Extract<InsServerOutput, { readonly kind: 'upstream' }>): void {
    const back = (input: Extract<InsServerInput, { readonly kind: 'upstream' }>['input']): void =>
      this.input({ kind: 'upstream', upstream, input });
    const other = this.upstreams.get(upstream);
    switch (output.kind) {
      case 'dial': {
        const server = this.net.at(output.url);
        if (server === undefined) {
          back({ kind: 'closed', code: 1006, why: 'nobody is there' });
          return;
        }
        back({ kind: 'opened' });
        const link = server.open({
          message: (message) => back({ kind: 'message', message }),
          block: (header, body) => {
            back({ kind: 'block', header, body });
            server.input({ kind: 'drained', link, leftBytes: 0 });
          },
          closed: (code, why) => back({ kind: 'closed', code, why }),
        });
        this.upstreams.set(upstream, { server, link });
        return;
      }
      case 'send':
        other?.server.input({ kind: 'message', link: other.link, message: output.message });
        return;
      case 'sign':
        back({ kind: 'signed', ref: output.ref, signature: this.keys.sign(output.bytes) });
        return;
      case 'send-block': {
        const body = this.bodies.get((output.body as StoredBody).block.key)!;
        other?.server.input({ kind: 'block', link: other.link, header: output.header, body });
        return;
      }
      case 'close':
        if (other !== undefined) other.server.input({ kind: 'link-closed', link: other.link });
        back({ kind: 'closed', code: output.code, why: output.why });
    }
  }
}

type MessageOf<Type extends FromInsServer['type']> = Extract<FromInsServer, { readonly type: Type }>;

/** A client that says what the test wants it to say. */
export class CoreClient {
  readonly keys: KeyPair;
  readonly link: number;
  readonly messages: FromInsServer[] = [];
  readonly blocks: { readonly header: BlockHeader; readonly body: Body }[] = [];
  closed: { readonly code: number; readonly why: string } | undefined;
  /** Takes what is sent at once; else it waits for {@link drained}. */
  reads = true;
  private readonly server: CoreServer;
  /** Numbers that tests which number their own requests do not use. */
  private requests = 1_000;
  private aliases = 0;

  constructor(server: CoreServer, keys: KeyPair, origin?: string) {
    this.server = server;
    this.keys = keys;
    this.link = server.open(
      {
        message: (message) => this.messages.push(message),
        block: (header, body) => {
          this.blocks.push({ header, body });
          if (this.reads) this.drained();
        },
        closed: (code, why) => {
          this.closed = { code, why };
        },
      },
      origin,
    );
  }

  hello(application: string, invitation: Uint8Array | null = null): void {
    const { nonce, server } = this.of('welcome')[0]!;
    const key = this.keys.publicKey;
    const signature = this.keys.sign(helloSigned(nonce, server, key));
    this.send({ type: 'hello', version: PROTOCOL_VERSION, key, application, signature, invitation });
  }

  send(message: FromInsClient): void {
    const decoded = insClientCodec.decode(insClientCodec.encode(message));
    if (!decoded.ok) throw new Error(decoded.violation);
    this.server.input({ kind: 'message', link: this.link, message: decoded.message! });
  }

  sendBlock(request: number, item: number, body: Body): void {
    const header = { request, item, kept: false, labelled: null };
    this.server.input({ kind: 'block', link: this.link, header, body });
  }

  drained(leftBytes = 0): void {
    this.server.input({ kind: 'drained', link: this.link, leftBytes });
  }

  leave(): void {
    this.server.input({ kind: 'link-closed', link: this.link });
  }

  /** Registers a token; its alias. */
  token(token: Uint8Array): number {
    const alias = ++this.aliases;
    this.send({ type: 'token', alias, token });
    return alias;
  }

  /** Sends a batch of what is named; its number. */
  batch(more: Partial<BatchMessage>): number {
    const { request = ++this.requests } = more;
    this.send({ ...EMPTY_BATCH, ...more, request });
    return request;
  }

  /** Puts blocks with their bytes; the request's number. */
  put(
    blocks: readonly { readonly item: PutBlock; readonly body: Body }[],
    { ttlSeconds = 60, token = 0, collection = collectionOf(1) } = {},
  ): number {
    const request = this.batch({ collection, ttlSeconds, puts: blocks.map(({ item }) => putOf(item, token)) });
    for (const [at, { body }] of blocks.entries()) this.sendBlock(request, at, body);
    return request;
  }

  /** Puts parts of one small block each on track 0. */
  putParts(parts: readonly number[], options: { ttlSeconds?: number } = {}): void {
    for (const part of parts) this.put([blockOf(part)], options);
  }

  /** Gets by label what `putParts` has put. */
  get(
    parts: readonly number[],
    {
      token = 0,
      keep = false,
      deadlineMs = 0,
      collection = collectionOf(1),
      byName = false,
      priority = 'normal' as Priority,
      wait = false,
    } = {},
  ): number {
    const gets = parts.map((part) => {
      const name = byName ? blockOf(part).item.name : null;
      return {
        ...EMPTY_GET,
        token,
        deadlineMs,
        name,
        wait,
        label: byName ? null : { track: 0, part, index: 0 },
        priority,
      };
    });
    return this.batch({ keep, collection: byName ? null : collection, gets });
  }

  follow(
    from: number,
    {
      token = 0,
      keep = false,
      tracks = [] as number[],
      collection = collectionOf(1),
      priority = 'normal' as Priority,
    } = {},
  ): number {
    const request = ++this.requests;
    this.send({ type: 'follow', request, keep, token, collection, tracks, from, priority });
    return request;
  }

  of<Type extends FromInsServer['type']>(type: Type): MessageOf<Type>[] {
    return this.messages.filter((message): message is MessageOf<Type> => message.type === type);
  }

  /** Reasons of all refusals so far. */
  refusals(): string[] {
    return this.of('refused').map(({ reason }) => reason);
  }

  /** Parts that have come, in order; those of one request if it is named. */
  parts(request?: number): (number | undefined)[] {
    return this.blocks
      .filter(({ header }) => request === undefined || header.request === request)
      .map(({ header }) => header.labelled?.part);
  }
}
