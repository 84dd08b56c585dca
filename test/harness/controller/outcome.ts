import type { Supply } from '../../../report/report.ts';
import { type Check, checked, type Rig } from '../../../report/rig.ts';
import { rigFigures } from '../../../report/saturation.ts';
import type { ViewerFigures } from '../../../report/viewers.ts';
import type { Measured } from '../../../scenarios/measures/figures.ts';
import type { KernelFindings } from '../agent/messages.ts';
import type { HostCounts } from '../links/links.ts';
import type { ProcessRun } from './process-run.ts';

/** What came of one run by real processes. */
export interface ProcessOutcome {
  readonly measured: Measured;
  readonly supply: Supply;
  readonly viewers: readonly ViewerFigures[];
  readonly rig: Rig;
  /** Wrong records and blocks that viewers dropped. */
  readonly bad: number;
}

/** Works out what came of a run that is over. */
export function outcomeOf(run: ProcessRun): ProcessOutcome {
  const { plan, links } = run.config;
  const { measured, viewers } = run.record.measured(run.measuredMs);
  const rig: Rig = {
    links,
    linksAre: run.linksAre,
    ...rigFigures(run.collector.seconds.samples()),
    checks: checksOf(run),
  };
  const { sourceBps, insBps, peersBps } = plan.sharedOut;
  const bad = run.record.stays.reduce((sum, { figures }) => sum + (figures?.bad ?? 0), 0);
  return { measured, supply: { sourceBps, insBps, peersBps }, viewers, rig, bad };
}

/** What was counted in two ways. */
function checksOf(run: ProcessRun): Check[] {
  const kernel = run.collector.kernel.filter(({ sockets }) => sockets > 0);
  return [...wireChecks(run), ...witnessChecks(run), ...(kernel.length === 0 ? [] : kernelChecks(kernel))];
}

/** What viewers say that they sent and got, beside what was read off their connections on the way. */
function wireChecks({ placement, record, collector, config: { plan } }: ProcessRun): Check[] {
  const own = { sent: { data: 0, control: 0 }, received: { data: 0, control: 0 } };
  for (const { figures } of record.stays) {
    if (figures === null) continue;
    for (const way of ['sent', 'received'] as const) {
      own[way].data += figures[way].data;
      own[way].control += figures[way].control;
    }
  }
  const counts = placement.layout.viewers.flatMap(({ address }) => {
    const one = collector.seen.hosts.get(address);
    return one === undefined ? [] : [one];
  });
  if (counts.length === 0) return [];
  const sum = (pick: (counts: HostCounts) => number) => counts.reduce((total, one) => total + pick(one), 0);
  const check = (name: string, what: string, mine: number, outside: number, toleratedShare: number): Check =>
    checked({ name, what, own: mine, outside, unit: 'bytes', toleratedShare });
  const onTheWay = 'What is on its way when both are asked makes the difference.';
  const checks = [
    check(
      'Blocks received',
      `By the viewers’ own count, and read off the wire. ${onTheWay}`,
      own.received.data,
      sum((c) => c.received.dataBytes),
      TOLERATED,
    ),
    check(
      'Control received',
      `The same for control messages. ${onTheWay}`,
      own.received.control,
      sum((c) => c.received.controlBytes),
      TOLERATED,
    ),
    check(
      'Control sent',
      `The same for what viewers send. ${onTheWay}`,
      own.sent.control,
      sum((c) => c.sent.controlBytes),
      TOLERATED,
    ),
    check(
      'Blocks sent',
      `The same for blocks that viewers send. ${onTheWay}`,
      own.sent.data,
      sum((c) => c.sent.dataBytes),
      TOLERATED,
    ),
  ];
  if (plan.mode !== 'ins') return checks;
  const messages = sum((c) => c.sent.dataMessages);
  const what = 'Messages on the wire by their type: in INS mode no viewer sends a single block to anybody.';
  return [
    ...checks,
    checked({ name: 'Blocks sent in INS mode', what, own: 0, outside: messages, unit: 'count', toleratedShare: 0 }),
  ];
}

/** What plain players saw, beside what the peers that fed them say of themselves. */
function witnessChecks({ record }: ProcessRun): Check[] {
  const seen = record.stays.flatMap(({ figures, events }) =>
    figures?.witness === undefined ? [] : [{ witness: figures.witness, events }],
  );
  if (seen.length === 0) return [];
  const own = seen.reduce((sum, { events }) => sum + events.filter(({ kind }) => kind === 'freeze').length, 0);
  const outside = seen.reduce((sum, { witness }) => sum + witness.freezes, 0);
  const what = `Of ${seen.length} viewers with a plain hls.js player beside them, fed from their gateways: by the peers’ player model, and by the player’s picture. The player has more in hand, so it may freeze less, and where the model has none it must have none.`;
  return [
    checked({ name: 'Freezes on a screen', what, own, outside, unit: 'count', toleratedShare: own === 0 ? 0 : null }),
  ];
}

function kernelChecks(kernel: readonly KernelFindings[]): Check[] {
  const sum = (pick: (found: KernelFindings) => number) => kernel.reduce((total, found) => total + pick(found), 0);
  const [ownBytes, kernelBytes] = [sum((k) => k.ownBytes), sum((k) => k.kernelBytes)];
  const interfaceBytes = sum((k) => k.interfaceBytes);
  const share = (part: number) => `${(part * 100).toFixed(1)} %`;
  const worst = Math.max(...kernel.map(({ worstShare }) => worstShare));
  return [
    checked({
      name: 'Bytes of sockets',
      what: `Of the ${sum((k) => k.sockets)} connections of viewers that were open at the end: by the programs’ own count, and by the kernel’s (ss -ti). The socket that differs most does by ${share(worst)}.`,
      own: ownBytes,
      outside: kernelBytes,
      unit: 'bytes',
      toleratedShare: TOLERATED,
    }),
    checked({
      name: 'Bytes of interfaces',
      what: `What viewers’ interfaces carried in all: beyond what sockets count these are headers of IP, TCP and Ethernet, acknowledgements, repetitions, and connections that were closed before, ${share(interfaceBytes === 0 ? 0 : 1 - kernelBytes / interfaceBytes)} of it.`,
      own: ownBytes,
      outside: interfaceBytes,
      unit: 'bytes',
      toleratedShare: null,
    }),
  ];
}

/** Own figures and those from outside are taken one after the other. */
const TOLERATED = 0.02;
