import { InsServer } from '../../../../ins-server/core/ins-server.ts';
import type { InsServerInput, InsServerOutput } from '../../../../ins-server/core/io.ts';
import { INS_SERVER_LIMITS } from '../../../../ins-server/core/limits.ts';
import { helloSigned } from '../../../../protocol/ins-messages.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/limits.ts';
import { decodeToken } from '../../../../protocol/token.ts';
import { type KeyPair, makeKeyPair, randomBytes, verifySignature } from '../../../../runtime/node/crypto.ts';
import { sealToken } from '../../../ins/helpers.ts';
import { comparison, figure } from '../../report.ts';
import type { Scenario } from '../scenario.ts';

/** The core with the signature check of the shell, and nothing between them. */
class Checker {
  readonly keys = makeKeyPair();
  private readonly core: InsServer;
  private links = 0;
  /** Reasons of the tokens that were refused. */
  readonly refused: string[] = [];
  link = 0;

  constructor() {
    this.core = new InsServer({
      key: this.keys.publicKey,
      seed: 1,
      mayDial: () => false,
      startedAtMs: 0,
      limits: INS_SERVER_LIMITS,
    });
  }

  /** A new connection: its allowance of verifications and failures is fresh. */
  connect(keys: KeyPair): void {
    if (this.link > 0) this.input({ kind: 'link-closed', link: this.link });
    this.link = ++this.links;
    const nonce = randomBytes(32);
    this.input({ kind: 'link-opened', link: this.link, nonce });
    const { publicKey: key } = keys;
    const signature = keys.sign(helloSigned(nonce, this.keys.publicKey, key));
    const hello = {
      type: 'hello',
      version: PROTOCOL_VERSION,
      key,
      application: 'bench',
      signature,
      invitation: null,
    } as const;
    this.input({ kind: 'message', link: this.link, message: hello });
    this.refused.length = 0;
  }

  register(token: Uint8Array): void {
    this.input({ kind: 'message', link: this.link, message: { type: 'token', alias: 1, token } });
  }

  private input(input: InsServerInput): void {
    this.core.handleInput(input, Date.now());
    for (let output = this.core.pollOutput(); output !== undefined; output = this.core.pollOutput())
      this.perform(output);
  }

  private perform(output: InsServerOutput): void {
    if (output.kind === 'verify') {
      const ok = verifySignature(output.key, output.signed, output.signature);
      this.core.handleInput({ kind: 'verified', ref: output.ref, ok }, Date.now());
    } else if (output.kind === 'send' && output.message.type === 'token-refused')
      this.refused.push(output.message.reason);
  }
}

export const tokens: Scenario = {
  name: 'tokens',
  about: 'what a token costs: known, new, forged, refused without a signature check',
  async run(context) {
    const checker = new Checker();
    const issuer = makeKeyPair();
    const bearer = makeKeyPair();
    const servers = [{ key: checker.keys.publicKey, url: 'ws://ins.example:4000' }];
    const seal = (claims: object): Uint8Array => sealToken(issuer, servers, { id: randomBytes(16), ...claims });
    const rounds = context.rounds * 3;
    const rows = { known: [] as number[], first: [] as number[], bare: [] as number[], forged: [] as number[] };
    const early: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const known = knownUs(checker, bearer, seal({}));
      const first = eachUs(
        checker,
        bearer,
        make(480, () => seal({})),
        60,
        undefined,
      );
      const bare = bareUs(make(480, () => seal({})));
      const forged = eachUs(
        checker,
        bearer,
        make(480, () => spoil(seal({}))),
        4,
        'TOKEN_INVALID',
      );
      const expired = refusedUs(
        checker,
        bearer,
        make(200, () => seal({ expires: 1_000 })),
      );
      if (round < 0) continue;
      rows.known.push(known);
      rows.first.push(first);
      rows.bare.push(bare);
      rows.forged.push(forged);
      early.push(expired);
    }
    const against = 'a bare verification';
    context.result(figure('token, known', rows.known, 'µs', { atMost: 2 }));
    context.result(comparison('token, first time', rows.first, 'µs', against, rows.bare, { atMost: 1.2 }));
    context.result(comparison('token, forged', rows.forged, 'µs', against, rows.bare, { atMost: 1.2 }));
    context.result(figure('token, refused without a signature check', early, 'µs', { atMost: 5 }));
  },
};

function knownUs(checker: Checker, bearer: KeyPair, token: Uint8Array): number {
  checker.connect(bearer);
  checker.register(token);
  const times = 20_000;
  const took = cpuUs(() => {
    for (let n = 0; n < times; n++) checker.register(token);
  });
  expect(checker, 0, undefined);
  return took / times;
}

function refusedUs(checker: Checker, bearer: KeyPair, expired: readonly Uint8Array[]): number {
  checker.connect(bearer);
  const times = 20_000;
  const took = cpuUs(() => {
    for (let n = 0; n < times; n++) checker.register(expired[n % expired.length]!);
  });
  expect(checker, times, 'TOKEN_EXPIRED');
  return took / times;
}

/** Tokens that were never seen, so many on a connection: more would meet the limit of checks per second. */
function eachUs(
  checker: Checker,
  bearer: KeyPair,
  sealed: readonly Uint8Array[],
  perLink: number,
  reason: string | undefined,
): number {
  let took = 0;
  for (let at = 0; at < sealed.length; at += perLink) {
    checker.connect(bearer);
    const some = sealed.slice(at, at + perLink);
    took += cpuUs(() => {
      for (const token of some) checker.register(token);
    });
    expect(checker, reason === undefined ? 0 : some.length, reason);
  }
  return took / sealed.length;
}

/** Only the signatures, the key made ready as in the server. */
function bareUs(sealed: readonly Uint8Array[]): number {
  const decoded = sealed.map((token) => decodeToken(token)!);
  const took = cpuUs(() => {
    for (const { token, signed, signature } of decoded) {
      if (!verifySignature(token.issuer, signed, signature)) throw new Error('a good token did not verify');
    }
  });
  return took / sealed.length;
}

/** Processor time, which others on the machine disturb less than the clock. */
function cpuUs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function expect({ refused }: Checker, count: number, reason: string | undefined): void {
  if (refused.length === count && refused.every((one) => one === reason)) return;
  throw new Error(`${refused.length} tokens were refused (${refused[0]}), not ${count} (${reason})`);
}

function spoil(sealed: Uint8Array): Uint8Array {
  const spoiled = sealed.slice();
  // A signature that is well formed and wrong: its first half is another point.
  spoiled[spoiled.length - 64 + 5]! ^= 1;
  return spoiled;
}

function make(count: number, one: () => Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, one);
}
