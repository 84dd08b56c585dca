/** Ports where nothing else is said: one after the other, out of the way of common programs. */
export const PORTS = { tracker: 4800, ins: 4801, ins2: 4802, hls: 4803, gateway: 4804 } as const;

export const TRACKER_URL: string = `ws://127.0.0.1:${PORTS.tracker}`;
/** Where a source keeps its key when nothing else is said: in the working folder. */
export const SOURCE_KEY = '.inswarm/source.key';
export const DEMO_KEY = '.inswarm/demo.key';
