import type { LiveWish } from '../model.ts';
import { Picture } from '../picture.ts';
import { type Answer, TOLD_FORMAT, type Told } from '../told.ts';

/** `old`: the server is of another build than the page. */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'over' | 'old';

const RETRY_MS = 500;
const RETRY_MAX_MS = 5_000;

/** What the page knows of the run, and how it asks for something. */
export class Connection {
  picture = new Picture();
  state: ConnectionState = 'connecting';
  private readonly changed: () => void;
  private readonly answers = new Map<number, (why: string | null) => void>();
  private socket: WebSocket | undefined;
  private asked = 0;
  private retryMs = RETRY_MS;

  /** @param changed - Something is to be shown. */
  constructor(changed: () => void) {
    this.changed = changed;
    this.dial();
  }

  /** Asks the controller. Gives null for yes, or why not. */
  ask(wish: LiveWish): Promise<string | null> {
    const { socket } = this;
    if (socket === undefined || this.state !== 'open') return Promise.resolve('there is no connection to the run');
    const number = ++this.asked;
    socket.send(new TextEncoder().encode(JSON.stringify({ number, wish })));
    return new Promise((resolve) => this.answers.set(number, resolve));
  }

  private dial(): void {
    const url = new URL('live', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onmessage = ({ data }) => this.told(JSON.parse(new TextDecoder().decode(data as ArrayBuffer)));
    socket.onclose = () => this.closed();
  }

  private told(told: Told | Answer): void {
    if (told.is === 'answer') {
      this.answers.get(told.number)?.(told.why);
      this.answers.delete(told.number);
      return;
    }
    this.retryMs = RETRY_MS;
    if (told.is !== 'all') this.picture.apply(told);
    else if (told.format === TOLD_FORMAT) this.picture = new Picture(told.picture);
    const isOld = told.is === 'all' && told.format !== TOLD_FORMAT;
    this.state = isOld ? 'old' : this.picture.end === null ? 'open' : 'over';
    this.changed();
  }

  private closed(): void {
    for (const answer of this.answers.values()) answer('the connection to the run was lost');
    this.answers.clear();
    if (this.state !== 'over' && this.state !== 'old') {
      this.state = 'lost';
      setTimeout(() => this.dial(), this.retryMs);
      this.retryMs = Math.min(RETRY_MAX_MS, this.retryMs * 2);
    }
    this.changed();
  }
}
