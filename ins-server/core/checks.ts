import type { Body, Sink } from '../../machine/machine.ts';
import type { Filed, FiledAt, InsServerOutput } from './io.ts';
import type { Block } from './storage/shelf.ts';

/** What is to be done with an answer of the world. `full`: it is no for want of room. */
type Then = (ok: boolean, nowMs: number, full: boolean) => void;

/** Questions to the world that wait for their answers. */
export class Checks {
  private readonly open = new Map<number, Then>();
  private lastRef = 0;
  private readonly outputs: Sink<InsServerOutput>;

  constructor(outputs: Sink<InsServerOutput>) {
    this.outputs = outputs;
  }

  verify(key: Uint8Array, signed: Uint8Array, signature: Uint8Array, then: Then): void {
    this.outputs.push({ kind: 'verify', ref: this.ask(then), key, signed, signature });
  }

  checkName(name: Uint8Array, body: Body, then: Then): void {
    this.outputs.push({ kind: 'check-name', ref: this.ask(then), name, body });
  }

  checkProof(prefix: Uint8Array, proof: Uint8Array, block: Block | null, sizeBytes: number, then: Then): void {
    this.outputs.push({ kind: 'check-proof', ref: this.ask(then), prefix, proof, block, sizeBytes });
  }

  store(block: Block, body: Body, then: Then): void {
    this.outputs.push({ kind: 'store', ref: this.ask(then), block, body });
  }

  file(entry: Filed, then: Then): void {
    this.outputs.push({ kind: 'file', ref: this.ask(then), entry });
  }

  unfile(places: readonly FiledAt[], then: Then): void {
    this.outputs.push({ kind: 'unfile', ref: this.ask(then), places });
  }

  answer(ref: number, ok: boolean, nowMs: number, full = false): void {
    const then = this.open.get(ref);
    this.open.delete(ref);
    then?.(ok, nowMs, full);
  }

  private ask(then: Then): number {
    this.open.set(++this.lastRef, then);
    return this.lastRef;
  }
}
