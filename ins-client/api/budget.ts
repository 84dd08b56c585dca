/** What all calls of one client together may have under way. Calls that find nothing left get their turn, one after the other. */
export class Budget {
  private free: number;
  private readonly waiting = new Set<() => void>();
  private waking = false;

  constructor(amount: number) {
    this.free = amount;
  }

  /** Takes what is left, at most `wanted`; with none left, `wake` is called once there is some, or {@link forget} it. */
  take(wanted: number, wake: () => void): number {
    const taken = Math.max(0, Math.min(wanted, this.free));
    if (taken === 0) this.waiting.add(wake);
    this.free -= taken;
    return taken;
  }

  /** Takes more than is left where it has to be: one block may be larger than what is free. */
  overdraw(amount: number): void {
    this.free -= amount;
  }

  give(amount: number): void {
    this.free += amount;
    if (this.waking) return;
    this.waking = true;
    while (this.free > 0 && this.waiting.size > 0) {
      const wake = this.waiting.values().next().value!;
      this.waiting.delete(wake);
      wake();
    }
    this.waking = false;
  }

  forget(wake: () => void): void {
    this.waiting.delete(wake);
  }
}
