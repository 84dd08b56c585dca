import { concatBytes, sameBytes } from '../../protocol/text.ts';
import type { Log } from '../../runtime/log.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import type { InsServerInput, InsServerOutput, StoredBlock } from '../core/io.ts';
import { type BlockStore, StoreBusy, StoreFull } from './stores/store.ts';

type StoreOutput = Extract<InsServerOutput, { readonly kind: 'store' | 'file' | 'unfile' | 'drop' | 'check-proof' }>;

/** What the core asks of the store, and how that went; told at once where it was done at once. */
export class StoreDesk {
  private readonly store: BlockStore;
  private readonly input: (input: InsServerInput) => void;
  private readonly log: Log;

  constructor(store: BlockStore, input: (input: InsServerInput) => void, log: Log) {
    this.store = store;
    this.input = input;
    this.log = log;
  }

  perform(output: StoreOutput): void {
    const { store } = this;
    switch (output.kind) {
      case 'store':
        this.act('stored', output.ref, () => store.store(output.block, output.body as Uint8Array));
        return;
      case 'file':
        this.act('filed', output.ref, () => store.index?.file(output.entry));
        return;
      case 'unfile':
        this.act('unfiled', output.ref, () => store.index?.unfile(output.places));
        return;
      case 'drop':
        store.drop(output.block);
        return;
      case 'check-proof':
        this.checkProof(output);
        return;
    }
  }

  /** Gives the bytes of a block; none for no block, or for one that the store has lost. */
  load(block: StoredBlock | null, then: (bytes: Uint8Array | undefined) => void): void {
    const loaded = block === null ? undefined : this.store.load(block);
    if (!(loaded instanceof Promise)) {
      then(loaded);
      return;
    }
    loaded.then(then, (error: unknown) => {
      this.log.error('the store failed', { what: 'load', why: (error as Error).message });
      then(undefined);
    });
  }

  private act(kind: 'stored' | 'filed' | 'unfiled', ref: number, act: () => void | Promise<void>): void {
    const succeeded = (): void => this.input({ kind, ref, ok: true });
    const failed = (error: unknown): void => {
      const full = error instanceof StoreFull;
      if (!full && !(error instanceof StoreBusy))
        this.log.error('the store failed', { what: kind, why: (error as Error).message });
      this.input({ kind, ref, ok: false, full });
    };
    try {
      const doing = act();
      if (doing instanceof Promise) doing.then(succeeded, failed);
      else succeeded();
    } catch (error) {
      failed(error);
    }
  }

  /** As many bytes are hashed where there is no such block: the time of the hashing tells nothing, that of loading may. */
  private checkProof({ ref, prefix, proof, block, sizeBytes }: Extract<StoreOutput, { kind: 'check-proof' }>): void {
    this.load(block, (bytes) => {
      const ok = sameBytes(hashOf(concatBytes(prefix, bytes ?? new Uint8Array(sizeBytes))), proof);
      this.input({ kind: 'proved', ref, ok: ok && bytes !== undefined });
    });
  }
}
