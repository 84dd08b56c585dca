import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  keyPairFromSeed,
  loadOrMakeKeyFile,
  makeKeyPair,
  randomBytes,
  verifySignature,
  verifySignatureAside,
} from '../../runtime/node/crypto.ts';
import { hashKind, hashOf, hasName, nameOf } from '../../runtime/node/hash.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('signatures', () => {
  it('are those of RFC 8032 (section 7.1, test 2)', () => {
    const keys = keyPairFromSeed(
      Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex'),
    );
    expect(hex(keys.publicKey)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    expect(hex(keys.sign(Uint8Array.of(0x72)))).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });

  it('are verified aside as they are in place, and the answer always comes later, once', async () => {
    const keys = makeKeyPair();
    const bytes = randomBytes(100);
    const signature = keys.sign(bytes);
    const answers: string[] = [];
    const aside = (name: string, key: Uint8Array, signed: Uint8Array, by: Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        verifySignatureAside(key, signed, by, (ok) => {
          answers.push(`${name} ${ok}`);
          resolve();
        });
      });
    const all = [
      aside('good', keys.publicKey, bytes, signature),
      aside('other bytes', keys.publicKey, randomBytes(100), signature),
      aside('other key', makeKeyPair().publicKey, bytes, signature),
      aside('no key', new Uint8Array(31), bytes, signature),
      aside('no signature', keys.publicKey, bytes, new Uint8Array(63)),
    ];
    expect(answers).toEqual([]);
    await Promise.all(all);
    expect(answers.sort()).toEqual([
      'good true',
      'no key false',
      'no signature false',
      'other bytes false',
      'other key false',
    ]);
  });

  it('fit the key and the bytes, and nothing else', () => {
    const keys = makeKeyPair();
    const bytes = randomBytes(100);
    const signature = keys.sign(bytes);
    expect(verifySignature(keys.publicKey, bytes, signature)).toBe(true);
    expect(verifySignature(makeKeyPair().publicKey, bytes, signature)).toBe(false);
    expect(verifySignature(keys.publicKey, bytes.subarray(1), signature)).toBe(false);
    expect(verifySignature(keys.publicKey, bytes, signature.subarray(1))).toBe(false);
    expect(verifySignature(new Uint8Array(32).fill(255), bytes, signature)).toBe(false);
    expect(verifySignature(new Uint8Array(5), bytes, signature)).toBe(false);
  });
});

describe('a key file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inswarm-keys-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is made once and kept, for its owner’s eyes alone', () => {
    const path = join(folder, 'new', 'key.pem');
    const made = loadOrMakeKeyFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toContain('BEGIN PRIVATE KEY');
    const again = loadOrMakeKeyFile(path);
    expect(again.publicKey).toEqual(made.publicKey);
    expect(verifySignature(made.publicKey, Uint8Array.of(1), again.sign(Uint8Array.of(1)))).toBe(true);
  });

  it('that is none, or cannot be had, is told in one sentence with its path', () => {
    const path = join(folder, 'none.pem');
    writeFileSync(path, 'hello');
    expect(() => loadOrMakeKeyFile(path)).toThrow(/none\.pem holds no Ed25519 private key/);
    expect(() => loadOrMakeKeyFile(folder)).toThrow(/cannot read the key file/);
    expect(() => loadOrMakeKeyFile(join(path, 'below'))).toThrow(/below/);
    chmodSync(path, 0o600);
  });
});

describe('names', () => {
  it('are BLAKE3, in whichever build is loaded', () => {
    // The authors' test vectors: input 0, 1, … 250, 0, … of 0 and 1025 bytes.
    const input = Uint8Array.from({ length: 1025 }, (_, at) => at % 251);
    expect(hex(hashOf(new Uint8Array(0)))).toBe('af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
    expect(hex(hashOf(input))).toBe('d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444');
    expect(['native', 'wasm']).toContain(hashKind);
  });

  it('are the same from the fall-back', async () => {
    const { hash } = await import('blake3');
    for (const length of [0, 1, 1024, 70_000]) {
      const bytes = randomBytes(length);
      expect(hex(hash(bytes) as Buffer)).toBe(hex(hashOf(bytes)));
    }
  });

  it('fit their bytes and no others', () => {
    const bytes = randomBytes(1_000);
    const name = nameOf(bytes);
    expect(name).toHaveLength(33);
    expect(hasName(bytes, name)).toBe(true);
    bytes[999]! ^= 1;
    expect(hasName(bytes, name)).toBe(false);
  });
});
