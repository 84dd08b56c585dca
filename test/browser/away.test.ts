import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSource } from '../../source-server/node/source.ts';
import { buildPage, pageUrl, Stage } from './stage.ts';
import { type Tab, Tabs } from './tabs.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let tabs: Tabs;
let stage: Stage;
let source: RunningSource;
let tab: Tab;

const PLAYS = "window.inswarm?.stats().phase === 'playing'";
const IS_LIVE = `${PLAYS} && inswarm.stats().latencyMs < inswarm.stats().targetLatencyMs + 1000`;

beforeAll(async () => {
  [built, tabs] = await Promise.all([buildPage(), Tabs.open()]);
  stage = await Stage.open(built.folder);
  source = await stage.source();
});

afterEach(() => tab?.close());

afterAll(async () => {
  await tabs?.close();
  await stage?.close();
  await built?.remove();
});

async function until(expression: string): Promise<void> {
  await expect
    .poll(() => tab.value(expression), { timeout: 20_000, interval: 100 })
    .toBe(true)
    .catch(async (error: Error) => {
      const seen = await tab.value(
        "JSON.stringify([location.href, document.visibilityState, history.state, performance.getEntriesByType('navigation')[0].type, window.inswarm?.stats() ?? document.body.innerText])",
      );
      throw new Error(`${expression}\n${seen}`, { cause: error });
    });
}

/** Plays, and is live. */
async function watch(): Promise<void> {
  tab = await tabs.show(`${pageUrl(stage, source.stream, 'ins')}&autoplay`);
  await until(IS_LIVE);
}

describe('a viewer who looks at something else', () => {
  it('hears the stream go on in a hidden tab, and is live when back; a tab that was frozen meanwhile plays on, and is live', async () => {
    await watch();
    const other = await tabs.show('about:blank');
    await until("document.visibilityState === 'hidden'");
    await tab.value('void (window.leftAt = inswarm.video.currentTime)');
    await until(`${IS_LIVE} && inswarm.video.currentTime > leftAt + 4`);
    await tab.freeze(true);
    await setTimeout(5_000);
    await tab.freeze(false);
    await tab.bringToFront();
    await until(`${IS_LIVE} && document.visibilityState === 'visible'`);
    await other.close();
  });

  it('is forgotten at once by the tracker when going to another page, and plays again when coming back', async () => {
    await watch();
    await tab.value(`void (location.href = '${stage.tracker.url}/api/streams')`);
    await expect.poll(() => stage.viewersOf(source.stream)).toBe(0);
    await until("document.contentType === 'application/json'");
    await tab.value('history.back()');
    await until(IS_LIVE);
    expect(stage.viewersOf(source.stream)).toBe(1);
    // So it does when it is loaded again; who had paused finds it as it was.
    await tab.value('void (window.old = true, location.reload())');
    await until(`window.old === undefined && ${IS_LIVE}`);
    await tab.value('document.querySelector("inswarm-player").pause()');
    await until('history.state.watching === false');
    await tab.value('void (window.old = true, location.reload())');
    await until('window.old === undefined && window.inswarm?.stats().peer.trackerUp === true');
    expect(await tab.value('inswarm.stats().phase')).toBe('idle');
  });
});
