/** A queue that gives the smallest first; equal ones in the order they came. */
export class Heap<T> {
  private readonly items: { readonly key: number; readonly order: number; readonly value: T }[] = [];
  private orders = 0;

  get size(): number {
    return this.items.length;
  }

  push(key: number, value: T): void {
    const item = { key, order: this.orders++, value };
    const { items } = this;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(items[parent]!, item)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** The key of the smallest. */
  peekKey(): number | undefined {
    return this.items[0]?.key;
  }

  peek(): T | undefined {
    return this.items[0]?.value;
  }

  pop(): T | undefined {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first?.value;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (before(last, items[child]!)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return first.value;
  }

  /** Takes out all that `drop` says. */
  remove(drop: (value: T) => boolean): void {
    const kept = this.items.filter((item) => !drop(item.value)).sort((a, b) => a.key - b.key || a.order - b.order);
    // A sorted array is a heap.
    this.items.splice(0, this.items.length, ...kept);
  }
}

function before(a: { key: number; order: number }, b: { key: number; order: number }): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order);
}
