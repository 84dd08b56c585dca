/** The bytes that were put or read last, up to a bound: what is live is served without a look at the disk. */
export class Newest {
  private readonly blocks = new Map<string, Uint8Array>();
  private bytes = 0;
  private readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get(key: string): Uint8Array | undefined {
    const block = this.blocks.get(key);
    if (block === undefined) return undefined;
    // The first of the map goes first.
    this.blocks.delete(key);
    this.blocks.set(key, block);
    return block;
  }

  set(key: string, block: Uint8Array): void {
    this.delete(key);
    this.blocks.set(key, block);
    this.bytes += block.length;
    for (const oldest of this.blocks.keys()) {
      if (this.bytes <= this.bytesMax) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const block = this.blocks.get(key);
    if (block === undefined) return;
    this.blocks.delete(key);
    this.bytes -= block.length;
  }
}
