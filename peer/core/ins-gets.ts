/** One block of one part of one track. */
export interface Place {
  readonly track: number;
  readonly part: number;
  readonly index: number;
}

/** A block that was asked for, and whose locker it was to come from. */
export interface Asked extends Place {
  readonly owner: string;
}

interface Get<Session> {
  readonly session: Session;
  readonly places: readonly Asked[];
  readonly byAtMs: number;
}

/** The batches that INS servers have not answered yet. Nothing is asked for twice while it is on its way. */
export class InsGets<Session> {
  private readonly gets = new Map<number, Get<Session>>();
  private readonly asked = new Map<string, number>();

  get size(): number {
    return this.gets.size;
  }

  isAsked(track: number, part: number, index: number): boolean {
    return this.asked.has(`${track}:${part}:${index}`);
  }

  /** Batches that a session has not answered. */
  openAt(session: Session): number {
    let open = 0;
    for (const get of this.gets.values()) if (get.session === session) open++;
    return open;
  }

  add(handle: number, session: Session, places: readonly Asked[], byAtMs: number): void {
    this.gets.set(handle, { session, places, byAtMs });
    for (const { track, part, index } of places) this.asked.set(`${track}:${part}:${index}`, handle);
  }

  /** What was asked under a handle and an item's number. */
  place(handle: number, item: number): Asked | undefined {
    return this.gets.get(handle)?.places[item];
  }

  /** A block is not on its way any more. */
  free({ track, part, index }: Place): void {
    this.asked.delete(`${track}:${part}:${index}`);
  }

  has(handle: number): boolean {
    return this.gets.has(handle);
  }

  forget(handle: number): void {
    const get = this.gets.get(handle);
    if (get === undefined) return;
    this.gets.delete(handle);
    for (const { track, part, index } of get.places) {
      const id = `${track}:${part}:${index}`;
      if (this.asked.get(id) === handle) this.asked.delete(id);
    }
  }

  handlesOf(session: Session): number[] {
    return [...this.gets].flatMap(([handle, get]) => (get.session === session ? [handle] : []));
  }

  /** Those that are overdue. */
  late(nowMs: number): { readonly handle: number; readonly session: Session }[] {
    return [...this.gets].flatMap(([handle, { session, byAtMs }]) => (byAtMs > nowMs ? [] : [{ handle, session }]));
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { byAtMs } of this.gets.values()) if (next === undefined || byAtMs < next) next = byAtMs;
    return next;
  }
}
