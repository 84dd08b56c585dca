/**
 * What no system can beat, whatever its protocol: the line in every plot.
 *
 * It is a fluid bound in which viewers relay while they fill. Bytes flow no faster than whoever has them can send; a viewer sends
 * nothing before it has a block; nobody takes more than there is to take of a live stream; and a viewer, who knows the tracker's address
 * and no other, has seen nothing before the tracker has answered, somebody near has, and a start's worth of bytes has come through its downlink. Where all come at once, that capacity can only double
 * with every block time is where the ceil(log2(N/S)) + 1 of chunk-based theory comes from (Liu 2007; Abeni, Kiraly, Lo Cigno 2009):
 * here it follows from the sums, and is added in closed form to the latency, which it bounds for whatever arrivals.
 */
export interface BoundWorld {
  /** What servers (source and INS) send, in bits per second. */
  readonly serversBps: number;
  /** Bits per second of all tracks. */
  readonly streamBps: number;
  /** Media that a viewer has at its first frame at the least. */
  readonly startBytes: number;
  /** A segment: nobody starts further back than the key frame before the live edge and a start's worth. */
  readonly segmentBytes: number;
  /** The smallest block that has a picture in it. */
  readonly blockBytes: number;
  readonly partMs: number;
  readonly downBps: number;
  /** One way, between hosts that are near each other. */
  readonly halfTripMs: number;
}

export interface BoundViewer {
  readonly joinAtMs: number;
  /** From then until the first byte of media can be there, see {@link firstByteMs}. */
  readonly firstByteMs: number;
  /** Bits per second that it gives to others; 0 for none. */
  readonly upBps: number;
}

/** TCP's handshake, the upgrade's, then question and answer. */
const ROUND_TRIPS_TO_ANSWER = 3;
const STEP_MS = 5;
/** Whoever has not started so long after the last arrival does not start in this sum. */
const PATIENCE_MS = 600_000;

/**
 * The least time from the first dial to the first byte of media: the tracker is dialled and asked, then somebody near who may have been
 * dialled meanwhile.
 */
export function firstByteMs(trackerRoundTripMs: number, nearestRoundTripMs: number): number {
  return ROUND_TRIPS_TO_ANSWER * trackerRoundTripMs + nearestRoundTripMs;
}

/**
 * The least start-up delays of viewers, in ms; those who are left out start never: supply does not suffice. Nobody who has
 * started freezes: those who play are served first, then those who have waited longest.
 */
export function startupBoundMs(world: BoundWorld, viewers: readonly BoundViewer[]): number[] {
  const { streamBps, startBytes, segmentBytes, blockBytes, downBps } = world;
  const perStep = (bps: number) => (bps * STEP_MS) / 8000;
  const queue = viewers
    .map(({ joinAtMs, firstByteMs, upBps }) => ({ atMs: joinAtMs + firstByteMs, firstByteMs, upBps }))
    .sort((a, b) => a.atMs - b.atMs);
  const fastest = prefixSums(viewers.map(({ upBps }) => upBps).sort((a, b) => b - a));
  const fillMs = (startBytes * 8000) / downBps;
  const blockMs = (blockBytes * 8000) / downBps + world.halfTripMs;
  /** How long media at the start lasts: after that a viewer needs the stream's rate. */
  const lastsMs = (startBytes * 8000) / streamBps;
  const startedAtMs: number[] = [];
  const delays: number[] = [];
  let [nowMs, delivered, needed, takeable] = [queue[0]?.atMs ?? 0, 0, 0, 0];
  let [receiving, relaying, relayingBps, resting] = [0, 0, 0, 0];
  const lastMs = (queue.at(-1)?.atMs ?? 0) + PATIENCE_MS;
  while (startedAtMs.length < queue.length && nowMs < lastMs) {
    nowMs += STEP_MS;
    for (; receiving < queue.length && queue[receiving]!.atMs <= nowMs; receiving++)
      takeable += startBytes + segmentBytes;
    takeable += receiving * perStep(streamBps);
    for (; relaying < queue.length && queue[relaying]!.atMs + blockMs <= nowMs; relaying++)
      relayingBps += queue[relaying]!.upBps;
    // No more can relay than have got a block, and at best those are the ones with the fastest links.
    const holders = Math.min(queue.length, Math.floor(delivered / blockBytes));
    delivered = Math.min(takeable, delivered + perStep(world.serversBps + Math.min(relayingBps, fastest[holders]!)));
    while (resting < startedAtMs.length && startedAtMs[resting]! + lastsMs <= nowMs) resting++;
    needed += resting * perStep(streamBps);
    while (startedAtMs.length < queue.length && needed + startBytes <= delivered) {
      const { atMs, firstByteMs } = queue[startedAtMs.length]!;
      if (atMs + fillMs > nowMs) break;
      needed += startBytes;
      startedAtMs.push(nowMs);
      // The grid's rounding is not to make it larger than it is.
      delays.push(firstByteMs + Math.max(fillMs, nowMs - atMs - STEP_MS));
    }
  }
  return delays;
}

/**
 * The least latency from camera to screen that a share (0 … 1) of the viewers can have, in ms: a part has to be complete, and one block
 * of it takes ceil(log2(viewers / S)) + 1 block times and half round trips to that many, where S is how many streams servers send.
 *
 * @param upBps - Of a viewer who relays, at best; 0 where none does.
 */
export function latencyBoundMs(world: BoundWorld, viewers: number, upBps: number, share: number): number {
  const serversStreams = world.serversBps / world.streamBps;
  const doublings = Math.max(0, Math.ceil(Math.log2((viewers * share) / serversStreams)));
  if (doublings > 0 && upBps === 0) return Number.POSITIVE_INFINITY;
  const relayMs = doublings === 0 ? 0 : doublings * ((world.blockBytes * 8000) / upBps + world.halfTripMs);
  return world.partMs + relayMs + (world.blockBytes * 8000) / world.serversBps + world.halfTripMs;
}

/** Somebody's time there, in ms after the run's start. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The share of viewers' time that must be frozen or skipped when the supply is less than what those who are there need: moment by moment,
 * for what is left over before a crowd is in is of no use to it. Nobody keeps more in hand than a moment's worth.
 *
 * @param supplyBps - What can be sent to viewers.
 */
export function frozenShareBound(supplyBps: number, streamBps: number, spans: readonly Span[]): number {
  const steps = spans.flatMap(({ fromMs, toMs }) =>
    toMs > fromMs
      ? [
          { atMs: fromMs, by: 1 },
          { atMs: toMs, by: -1 },
        ]
      : [],
  );
  steps.sort((a, b) => a.atMs - b.atMs);
  let [viewers, atMs, hereMs, fedMs] = [0, 0, 0, 0];
  for (const step of steps) {
    hereMs += viewers * (step.atMs - atMs);
    fedMs += Math.min(viewers, supplyBps / streamBps) * (step.atMs - atMs);
    viewers += step.by;
    atMs = step.atMs;
  }
  return hereMs === 0 ? 0 : 1 - fedMs / hereMs;
}

/** The most of the supply that can be used: nobody downloads what nobody makes. */
export function efficiencyBound(supplyBps: number, demandBps: number): number {
  return Math.min(1, demandBps / supplyBps);
}

/**
 * The admission model (after Chen, Zhang, Chen, ICC 2011): with admission in generations, a crowd of `viewers` is in after
 * τ·log_u(N(u − 1)/S) ms. A model of one way to do it, not a bound. Infinite where the viewers' uplinks carry less than they take.
 *
 * @param serversStreams - S: streams that servers send.
 * @param upRatio - u: a viewer's uplink over the stream's rate.
 * @param generationMs - τ: from a viewer's admission until it sends usefully.
 */
export function admissionModelMs(
  viewers: number,
  serversStreams: number,
  upRatio: number,
  generationMs: number,
): number {
  if (viewers <= serversStreams) return 0;
  if (upRatio <= 1) return Number.POSITIVE_INFINITY;
  return Math.max(0, (generationMs * Math.log((viewers * (upRatio - 1)) / serversStreams)) / Math.log(upRatio));
}

function prefixSums(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return sums;
}
