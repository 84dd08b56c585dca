import type { Body, Sink } from '../../machine/machine.ts';
import type { InsServerOutput } from './io.ts';
import type { Block } from './shelf.ts';

/** What is to be done with an answer of the world. */
type Then = (ok: boolean, nowMs: number) => void;

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

  store(block: Block, body: Body, then: Then): void {
    this.outputs.push({ kind: 'store', ref: this.ask(then), block, body });
  }

  answer(ref: number, ok: boolean, nowMs: number): void {
    const then = this.open.get(ref);
    this.open.delete(ref);
    then?.(ok, nowMs);
  }

  private ask(then: Then): number {
    this.open.set(++this.lastRef, then);
    return this.lastRef;
  }
}
