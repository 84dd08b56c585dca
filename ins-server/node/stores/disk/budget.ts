/** So many bytes at once, and no more; who wants more waits in turn. */
export class Budget {
  private free: number;
  private readonly waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(bytes: number) {
    this.free = bytes;
  }

  /** When there are so many; to be given back. */
  take(bytes: number): Promise<void> | undefined {
    if (this.waiting.length === 0 && this.free >= bytes) {
      this.free -= bytes;
      return undefined;
    }
    return new Promise((go) => {
      this.waiting.push({ bytes, go });
    });
  }

  give(bytes: number): void {
    this.free += bytes;
    while (this.waiting.length > 0 && this.free >= this.waiting[0]!.bytes) {
      const next = this.waiting.shift()!;
      this.free -= next.bytes;
      next.go();
    }
  }
}
