import { makeTally, type Tally } from './frames.ts';
import type { Wire } from './wire.ts';

/** A host, as the relay knows it. */
export class Place {
  readonly address: string;
  readonly region: number;
  readonly sent: Tally = makeTally();
  readonly received: Tally = makeTally();
  /** Its connections, in the order in which they were opened. */
  readonly wires = new Set<Wire>();
  /** It stands still until then. */
  heldUntilMs = 0;
  isCutOff = false;
  lies = false;

  constructor(address: string, region: number) {
    this.address = address;
    this.region = region;
  }
}

/** Block bytes from one host to another. */
export interface CountedFlow {
  readonly from: string;
  readonly to: string;
  dataBytes: number;
}
