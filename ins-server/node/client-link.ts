import { type BlockHeader, encodeBlockHeader } from '../../protocol/frames.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { Link } from '../../runtime/node/ws-link.ts';
import type { StoredBlock } from '../core/io.ts';
import type { BlockStore } from './stores/store.ts';

/** Looks in which a store loads nothing of what a link waits for, after which the link is closed. */
const LOOKS_MAX = 30;

type Loaded = Uint8Array | undefined;

/** A client's link whose blocks come out of a store: what is sent behind a block that is still loading waits for it. */
export class ClientLink {
  readonly link: Link;
  private loading = false;
  /** Looks since something was loaded. */
  private looks = 0;
  private readonly behind: (() => void)[] = [];
  private readonly store: BlockStore;
  private readonly lost: (header: BlockHeader, block: StoredBlock) => void;

  /** @param lost - The store does not have it. */
  constructor(link: Link, store: BlockStore, lost: (header: BlockHeader, block: StoredBlock) => void) {
    this.link = link;
    this.store = store;
    this.lost = lost;
  }

  /** Something still waits here for the store. */
  get waiting(): boolean {
    return this.loading;
  }

  /** Looks after the store, once a second. @returns Whether something still waits for it. */
  look(): boolean {
    // What is to be sent behind the block will not be: the link goes at once.
    if (this.loading && ++this.looks === LOOKS_MAX) this.link.close(CLOSE.tryLater, 'the store does not answer');
    return this.loading;
  }

  send(bytes: Uint8Array): void {
    if (this.loading) this.behind.push(() => this.link.sendControl(bytes));
    else this.link.sendControl(bytes);
  }

  close(code: number, why: string): void {
    if (this.loading) this.behind.push(() => this.link.close(code, why));
    else this.link.close(code, why);
  }

  /** Loading begins at once, also behind others: the core bounds how many bytes are under way on a link. */
  sendBlock(header: BlockHeader, block: StoredBlock): void {
    const loaded = this.store.load(block);
    const bytes = loaded instanceof Promise ? loaded.catch(() => undefined) : loaded;
    if (this.loading) this.behind.push(() => this.sendWhenLoaded(header, block, bytes));
    else this.sendWhenLoaded(header, block, bytes);
  }

  private sendWhenLoaded(header: BlockHeader, block: StoredBlock, bytes: Loaded | Promise<Loaded>): void {
    if (bytes instanceof Promise) this.sendLater(header, block, bytes);
    else this.sendLoaded(header, block, bytes);
  }

  private sendLoaded(header: BlockHeader, block: StoredBlock, bytes: Loaded): void {
    if (bytes === undefined) this.lost(header, block);
    else this.link.sendBlock(encodeBlockHeader(header, Buffer.allocUnsafe), bytes);
  }

  private sendLater(header: BlockHeader, block: StoredBlock, loading: Promise<Loaded>): void {
    this.loading = true;
    this.looks = 0;
    loading.then((bytes) => {
      this.loading = false;
      this.sendLoaded(header, block, bytes);
      while (!this.loading) {
        const act = this.behind.shift();
        if (act === undefined) return;
        act();
      }
    });
  }
}
