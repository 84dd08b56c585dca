import { describe, expect, it } from 'vitest';
import { decodeToken, OPERATION } from '../../protocol/token.ts';
import { RangeTokens } from '../../swarm/range-tokens.ts';

const ISSUER = new Uint8Array(32).fill(1);
const STREAM = new Uint8Array(32).fill(2);
const SERVER = new Uint8Array(32).fill(3);
const NOW_MS = 1_800_000_000_000;
let ids = 0;
const newId = () => new Uint8Array(16).fill(++ids);

function made(tokens: RangeTokens, nowMs: number) {
  if (tokens.make(newId, 40, nowMs) === undefined) return undefined;
  return decodeToken(tokens.signed(new Uint8Array(64).fill(7))!)!.token;
}

describe('range tokens', () => {
  it('are made when there is a locker, and again 30 s later', () => {
    const tokens = new RangeTokens(ISSUER, STREAM);
    expect(made(tokens, NOW_MS)).toBeUndefined();
    tokens.addServer(SERVER, 'ws://ins:1', 0, NOW_MS);
    expect(made(tokens, NOW_MS)).toMatchObject({ issuer: ISSUER, collection: STREAM, from: 40, tracks: null });
    expect(made(tokens, NOW_MS + 29_999)).toBeUndefined();
    expect(made(tokens, NOW_MS + 30_000)).toBeDefined();
  });

  it('only read, live 90 s, and are judged by the server’s clock', () => {
    const tokens = new RangeTokens(ISSUER, STREAM);
    tokens.addServer(SERVER, 'ws://ins:1', 120_000, NOW_MS);
    const token = made(tokens, NOW_MS)!;
    expect(token.operations).toBe(OPERATION.get);
    expect(token.expires).toBe(NOW_MS / 1000 + 120 + 90);
    expect(token.notBefore).toBe(NOW_MS / 1000 + 120 - 5);
  });

  it('name every server the owner has a locker on, and change at once when that changes', () => {
    const tokens = new RangeTokens(ISSUER, STREAM);
    tokens.addServer(SERVER, 'ws://ins:1', 0, NOW_MS);
    made(tokens, NOW_MS);
    const other = new Uint8Array(32).fill(4);
    tokens.addServer(other, 'ws://ins:2', 0, NOW_MS + 1_000);
    expect(made(tokens, NOW_MS + 1_000)!.servers.map((server) => server.url)).toEqual(['ws://ins:1', 'ws://ins:2']);
    tokens.removeServer(SERVER, NOW_MS + 2_000);
    expect(made(tokens, NOW_MS + 2_000)!.servers.map((server) => server.url)).toEqual(['ws://ins:2']);
    tokens.removeServer(other, NOW_MS + 3_000);
    expect(tokens.current).toBeNull();
  });
});
