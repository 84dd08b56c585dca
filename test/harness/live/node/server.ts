import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TokenBucket } from '../../../../machine/rates.ts';
import { CLOSE } from '../../../../protocol/reasons.ts';
import { nowMs } from '../../../../runtime/node/clock.ts';
import { createHttpServer, type HttpAddress, type HttpServer } from '../../../../runtime/node/http.ts';
import { serveStatic } from '../../../../runtime/node/static-files.ts';
import type { Link, LinkEvents } from '../../../../runtime/node/ws-link.ts';
import { acceptWebSockets } from '../../../../runtime/node/ws-server.ts';
import type { LiveBoard } from '../board.ts';
import { ASKED_CHARACTERS_MAX, type LiveControl, readAsked } from '../model.ts';
import type { Answer, Told } from '../told.ts';

/** Where the build puts the page: seen from `dist/test/harness/live/node`, and from the sources. */
const PAGE = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../../dist/live/' : '../../../../live/', import.meta.url),
);

export interface LiveOptions {
  /** 0, as when left out, takes any free port. */
  readonly port?: number;
  /** The built page; the one that comes along when left out. */
  readonly folder?: string;
}

export interface RunningLive {
  /** Of the page, with the key without which nobody gets in: `http://127.0.0.1:PORT/KEY/`. */
  readonly url: string;
  readonly pageCount: number;
  /** Sends what is under way and ends within a second; pages keep what they show. */
  close(): Promise<void>;
}

/** A run goes on without its page; `why` is one sentence on what is missing. */
export type LiveStart =
  | { readonly ok: true; readonly live: RunningLive }
  | { readonly ok: false; readonly why: string };

/** Somebody looks on from a few screens. */
const PAGES_MAX = 8;
/** People press buttons a few times a second at most. */
const ASKED_PER_SECOND = 10;
const ASKED_BURST = 40;
/** A page that has not taken so much gets nothing more until it has, and then everything anew. */
const BEHIND_BYTES_MAX = 65_536;
/** All there is to know of a session with some thousand hosts. */
const BUFFERED_BYTES_MAX = 32 * 1024 * 1024;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // The address holds the key.
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Serves the live page on this machine alone, to who knows its address. From elsewhere it is reached through a tunnel to the same port, as with
 * `ssh -L PORT:127.0.0.1:PORT`.
 */
export async function startLive(board: LiveBoard, control: LiveControl, options: LiveOptions = {}): Promise<LiveStart> {
  const folder = options.folder ?? PAGE;
  if (!existsSync(join(folder, 'index.html'))) {
    return { ok: false, why: 'the live page is not built; build it with: npm run build' };
  }
  const key = randomBytes(16).toString('base64url');
  const server = createHttpServer({ port: options.port ?? 0, connectionsMax: PAGES_MAX * 16 });
  servePage(server, key, folder);
  let address: HttpAddress;
  try {
    address = await server.listen();
  } catch (error) {
    await server.close();
    return { ok: false, why: `the live page cannot be shown: ${(error as Error).message}` };
  }
  const accept = {
    path: `/${key}/live`,
    origins: ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${address.port}`),
    linksMax: PAGES_MAX,
    limits: { messageBytesMax: ASKED_CHARACTERS_MAX, bufferedBytesMax: BUFFERED_BYTES_MAX },
  };
  const pages = new Set<Page>();
  const acceptor = acceptWebSockets(server.raw, accept, (link) => {
    const page = new Page(link, board, control, () => pages.delete(page));
    pages.add(page);
    return page.events;
  });
  const stop = board.listen((told) => {
    if (pages.size === 0) return;
    const bytes = bytesOf(told);
    for (const page of pages) page.tell(bytes);
  });
  const live: RunningLive = {
    url: `${address.url}/${key}/`,
    get pageCount() {
      return acceptor.linkCount;
    },
    async close() {
      stop();
      await acceptor.close();
      await server.close();
    },
  };
  return { ok: true, live };
}

/** Below the key alone; pages from elsewhere may not even read what is there. */
function servePage(server: HttpServer, key: string, folder: string): void {
  server.app.register(
    async (app) => {
      app.addHook('onSend', async (_request, reply) => {
        reply.removeHeader('access-control-allow-origin');
      });
      serveStatic({ ...server, app }, { folder, headers: HEADERS });
    },
    { prefix: `/${key}` },
  );
}

/** A page that looks on. */
class Page {
  readonly events: LinkEvents;
  private readonly link: Link;
  private readonly board: LiveBoard;
  private readonly patience = new TokenBucket(ASKED_PER_SECOND, ASKED_BURST);
  /** Something was not told: what comes next makes no sense without it. */
  private missed = false;

  constructor(link: Link, board: LiveBoard, control: LiveControl, gone: () => void) {
    this.link = link;
    this.board = board;
    this.events = {
      control: (bytes) => this.asked(bytes, control),
      block: () => link.close(CLOSE.violation, 'no blocks are taken here'),
      drained: (leftBytes) => this.drained(leftBytes),
      closed: gone,
    };
    link.sendControl(bytesOf(board.all()));
  }

  tell(bytes: Uint8Array): void {
    if (this.missed || this.link.bufferedBytes > BEHIND_BYTES_MAX) this.missed = true;
    else this.link.sendControl(bytes);
  }

  private drained(leftBytes: number): void {
    if (!this.missed || leftBytes > 0) return;
    this.missed = false;
    this.link.sendControl(bytesOf(this.board.all()));
  }

  private asked(bytes: Uint8Array, control: LiveControl): void {
    if (!this.patience.take(1, nowMs())) {
      this.link.close(CLOSE.policy, 'too many wishes at once');
      return;
    }
    const asked = readAsked(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    if (asked === null) {
      this.link.close(CLOSE.violation, 'a wish that cannot be understood');
      return;
    }
    const granted = this.board.ask(asked.wish);
    this.link.sendControl(bytesOf({ is: 'answer', number: asked.number, why: granted.ok ? null : granted.why }));
    if (!granted.ok) return;
    try {
      control.onCommand(granted.command);
    } catch (error) {
      // Whatever people press, the run goes on.
      this.board.say('bad', `That went wrong: ${(error as Error).message}`);
    }
  }
}

function bytesOf(told: Told | Answer): Uint8Array {
  return Buffer.from(JSON.stringify(told));
}
