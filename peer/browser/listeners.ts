/** Calls what listens; one that throws keeps nobody from hearing. */
export class Listeners<Event> {
  private readonly all = new Set<(event: Event) => void>();

  /** @returns What ends it. */
  add(listener: (event: Event) => void): () => void {
    this.all.add(listener);
    return () => this.all.delete(listener);
  }

  tell(event: Event): void {
    for (const listener of [...this.all]) {
      try {
        listener(event);
      } catch (error) {
        reportError(error);
      }
    }
  }

  clear(): void {
    this.all.clear();
  }
}
