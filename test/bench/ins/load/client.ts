import { connect, type Socket } from 'node:net';
import { helloSigned, insClientCodec, insServerCodec } from '../../../../protocol/ins-messages.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/limits.ts';
import { makeKeyPair } from '../../../../runtime/node/crypto.ts';
import { clientFrame } from './frames.ts';

export interface Where {
  readonly host: string;
  readonly port: number;
  /** Address to dial from: each has its own 28,000 ports. */
  readonly from?: string;
}

/** What is read is looked at where it lies, and overwritten by the next read of any connection. */
const readBuffer = Buffer.allocUnsafe(256 * 1024);

/** A connection on a raw socket. */
export class RawClient {
  readonly socket: Socket;
  /** Takes what comes; set anew as the conversation goes on. */
  take: (bytes: Buffer, length: number) => void = () => {};
  /** Why it ended, if it has. */
  ended: string | undefined;
  private readonly settled: ((error?: Error) => void)[] = [];

  constructor({ host, port, from }: Where) {
    this.socket = connect({
      host,
      port,
      ...(from === undefined ? {} : { localAddress: from }),
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          this.take(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => this.end(error.message));
    this.socket.on('close', () => this.end('the server closed the connection'));
  }

  /** Bytes until `isWhole` says how many of them are one answer; what comes behind them goes to `take` later. */
  answer(isWhole: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    let gathered: Buffer = Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      this.settled.push((error) => reject(error ?? new Error('ended')));
      this.take = (bytes, length) => {
        gathered = Buffer.concat([gathered, bytes.subarray(0, length)]);
        const whole = isWhole(gathered);
        if (whole === undefined) return;
        const rest = gathered.subarray(whole);
        this.settled.length = 0;
        this.take = (more, moreLength) => {
          // Nobody has asked for more yet: at most a welcome comes so.
          this.early = Buffer.concat([this.early, more.subarray(0, moreLength)]);
        };
        this.early = Buffer.from(rest);
        resolve(gathered.subarray(0, whole));
      };
      if (this.early.length > 0) {
        const { early } = this;
        this.early = Buffer.alloc(0);
        this.take(early, early.length);
      }
    });
  }

  private early: Buffer = Buffer.alloc(0);

  /** From now on all goes to `take`. */
  stream(take: (bytes: Buffer, length: number) => void): void {
    this.take = take;
    if (this.early.length > 0) take(this.early, this.early.length);
    this.early = Buffer.alloc(0);
  }

  private end(why: string): void {
    this.ended ??= why;
    for (const settle of this.settled.splice(0)) settle(new Error(this.ended));
  }
}

const upgrade = (host: string): string =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** RFC 6455 section 4, by hand. */
export async function openWebSocket(where: Where): Promise<RawClient> {
  const client = new RawClient(where);
  client.socket.write(upgrade(where.host));
  const answer = await client.answer((bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end < 0 ? undefined : end + 4;
  });
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${answer.toString()}`);
  return client;
}

/** A client of an INS server that has proved a new key, and registered a token under alias 1. */
export async function openIns(where: Where, token: Uint8Array | null): Promise<RawClient> {
  const client = await openWebSocket(where);
  const welcome = await control(client, 'welcome');
  const keys = makeKeyPair();
  const hello = {
    type: 'hello',
    version: PROTOCOL_VERSION,
    key: keys.publicKey,
    application: 'inswarm/bench',
    signature: keys.sign(helloSigned(welcome.nonce, welcome.server, keys.publicKey)),
    invitation: null,
  } as const;
  const frames = [clientFrame(insClientCodec.encode(hello))];
  if (token !== null) frames.push(clientFrame(insClientCodec.encode({ type: 'token', alias: 1, token })));
  client.socket.write(Buffer.concat(frames));
  await control(client, 'accepted');
  return client;
}

type FromServer = NonNullable<Extract<ReturnType<typeof insServerCodec.decode>, { readonly ok: true }>['message']>;

/** The next control message, which has to be of this type. */
async function control<Type extends FromServer['type']>(
  client: RawClient,
  type: Type,
): Promise<Extract<FromServer, { readonly type: Type }>> {
  const frame = await client.answer((bytes) => {
    if (bytes.length < 4) return undefined;
    const short = bytes[1]! & 0x7f;
    const whole = short < 126 ? 2 + short : 4 + bytes.readUInt16BE(2);
    return bytes.length < whole ? undefined : whole;
  });
  const decoded = insServerCodec.decode(frame.subarray((frame[1]! & 0x7f) < 126 ? 2 : 4));
  const message = decoded.ok ? decoded.message : undefined;
  if (message?.type !== type) throw new Error(`instead of ${type} came ${JSON.stringify(message)}`);
  return message as Extract<FromServer, { readonly type: Type }>;
}
