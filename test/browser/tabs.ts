import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { findChromium } from '../support/browser.ts';

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--mute-audio',
  '--no-first-run',
  '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required',
  '--remote-debugging-port=0',
];

/**
 * A Chromium as people have it: tabs behind others are hidden, their timers come once a second, and they can be frozen; pages that
 * are left stay in the back/forward cache. Playwright keeps a browser from all that, so it is driven by hand (Chrome DevTools Protocol).
 */
export class Tabs {
  private readonly chromium: ChildProcess;
  private readonly profile: string;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  private calls = 0;

  private constructor(chromium: ChildProcess, profile: string, socket: WebSocket) {
    this.chromium = chromium;
    this.profile = profile;
    this.socket = socket;
    socket.on('message', (text) => {
      const { id, result, error } = JSON.parse(String(text));
      this.waiting.get(id)?.(result ?? { error });
      this.waiting.delete(id);
    });
  }

  static async open(): Promise<Tabs> {
    const profile = await mkdtemp(join(tmpdir(), 'inswarm-tabs-'));
    const chromium = spawn(await findChromium(), [...ARGUMENTS, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const socket = new WebSocket(await addressOf(chromium));
    await once(socket, 'open');
    return new Tabs(chromium, profile, socket);
  }

  /** A tab before all others. */
  async show(url: string): Promise<Tab> {
    const { targetId } = await this.call<{ targetId: string }>('Target.createTarget', { url });
    const { sessionId } = await this.call<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    return new Tab(this, targetId, sessionId);
  }

  call<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    return new Promise((resolve) => {
      this.waiting.set(++this.calls, (answer) => resolve(answer as T));
      this.socket.send(JSON.stringify({ id: this.calls, method, params, sessionId }));
    });
  }

  async close(): Promise<void> {
    const exited = once(this.chromium, 'exit');
    this.socket.close();
    this.chromium.kill();
    await exited;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

export class Tab {
  private readonly tabs: Tabs;
  private readonly target: string;
  private readonly session: string;

  constructor(tabs: Tabs, target: string, session: string) {
    this.tabs = tabs;
    this.target = target;
    this.session = session;
  }

  /** Before all others. */
  async bringToFront(): Promise<void> {
    await this.tabs.call('Target.activateTarget', { targetId: this.target });
  }

  /** What a browser does to a hidden tab that nobody has looked at for minutes, and takes back when somebody does. */
  async freeze(frozen: boolean): Promise<void> {
    await this.tabs.call('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' }, this.session);
  }

  /** What an expression comes to in the page; undefined while there is no page. */
  async value<T>(expression: string): Promise<T | undefined> {
    const params = { expression, returnByValue: true };
    const answer = await this.tabs.call<{ result?: { value?: T } }>('Runtime.evaluate', params, this.session);
    return answer.result?.value;
  }

  async close(): Promise<void> {
    await this.tabs.call('Target.closeTarget', { targetId: this.target });
  }
}

function addressOf(chromium: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    chromium.stderr?.on('data', (text) => {
      said += text;
      const address = /listening on (ws:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    chromium.once('exit', () => reject(new Error(`Chromium ended: ${said}`)));
    chromium.once('error', reject);
  });
}
