/** Which stream the examples play: `?tracker=…&stream=…`, or else what the demo on this machine (`npm start`) has on air. */
export async function demoStream(): Promise<{ tracker: string; stream: string }> {
  const query = new URLSearchParams(location.search);
  const tracker = query.get('tracker') ?? 'ws://127.0.0.1:4800/';
  const stream = query.get('stream') ?? (await firstOnAir(tracker));
  return { tracker, stream };
}

async function firstOnAir(tracker: string): Promise<string> {
  const streams = (await fetch(new URL('/api/streams', tracker.replace(/^ws/, 'http'))).then((answer) =>
    answer.json(),
  )) as { readonly id: string; readonly state: string }[];
  const live = streams.find(({ state }) => state === 'live');
  if (live === undefined) throw new Error(`Nothing is on air at ${tracker}: start something with "npm start".`);
  return live.id;
}
