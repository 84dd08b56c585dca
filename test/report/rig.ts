import type { Report } from '../../report/report.ts';
import { type Check, checked, type Rig } from '../../report/rig.ts';
import { rigFigures } from '../../report/saturation.ts';
import { sampleReport } from './sample.ts';

/** A rig, and a report of real processes, with made-up figures: nothing in them was ever measured. */

const SECONDS = 60;
const VIEWER_PROCESSES = 20;

/** A second's values: about `middle`, with `peak` where the crowd comes. */
function wave(middle: number, peak: number, shift = 0): number[] {
  return Array.from({ length: SECONDS }, (_, second) => {
    const isCrowd = second >= 3 && second < 13;
    return (isCrowd ? peak : middle) * (1 + 0.1 * Math.sin(second + shift));
  });
}

/** How busy the relay was decides whether the machine was the bottleneck. */
export function sampleRig(relayCpu = 0.5): Rig {
  const viewers = Array.from({ length: VIEWER_PROCESSES }, (_, at) => ({
    name: `viewers ${at}`,
    machine: 'this machine',
    cpu: wave(0.012, 0.05, at),
    isParallel: false,
    loopDelayP99Ms: wave(3, 9, at),
    rssBytes: wave(70e6, 75e6, at),
  }));
  const server = (name: string, cpu: number, rss: number) => ({
    name,
    machine: 'this machine',
    cpu: wave(cpu, cpu * 1.4),
    isParallel: false,
    loopDelayP99Ms: wave(2 + cpu * 20, 4 + cpu * 40),
    rssBytes: wave(rss, rss * 1.1),
  });
  return {
    links: 'namespaces',
    linksAre:
      'Each program in a network namespace of its own, rates by the kernel (tbf and HTB), delays by a process in the middle, handshakes included.',
    ...rigFigures({
      machines: [{ name: 'this machine', cpus: 2, busy: wave(0.42, 0.7) }],
      processes: [
        server('tracker', 0.04, 80e6),
        server('source', 0.09, 110e6),
        server('INS server 0', 0.1, 120e6),
        server('INS server 1', 0.08, 115e6),
        server('relay', relayCpu, 90e6),
        ...viewers,
      ],
    }),
    checks: sampleChecks(),
  };
}

function sampleChecks(): Check[] {
  return [
    checked({
      name: 'bytes that viewers got',
      what: 'What viewers count in their connections, and what the kernel counted for the same sockets.',
      own: 751_204_113,
      outside: 752_331_004,
      unit: 'bytes',
      toleratedShare: 0.02,
    }),
    checked({
      name: 'bytes on the interfaces',
      what: 'The same bytes, and all that passed the interfaces: TCP and IP headers and acknowledgements add 4 to 6 %.',
      own: 751_204_113,
      outside: 791_020_400,
      unit: 'bytes',
      toleratedShare: null,
    }),
    checked({
      name: 'blocks sent by viewers in INS mode',
      what: 'Data messages, by their types: in INS mode a viewer sends none.',
      own: 0,
      outside: 0,
      unit: 'count',
      toleratedShare: 0,
    }),
  ];
}

/** What {@link sampleReport} has, as if real processes had been measured: INS and native. */
export function sampleProcessReport(seeds: readonly number[] = [1], rigs: Record<string, Rig> = {}): Report {
  const report = sampleReport(seeds);
  const modes = ['ins', 'native'].map((key) => {
    const column = report.modes[key]!;
    const command = `npx inswarm measure --scenario flash-crowd --mode ${key} --peers 200 --seed`;
    const runs = column.runs.map((run) => ({
      ...run,
      traceHash: '',
      command: `${command} ${run.seed}`,
      rig: rigs[key] ?? sampleRig(),
    }));
    return [key, { ...column, runs }] as const;
  });
  const command = 'npx inswarm measure --scenario flash-crowd --mode ins,native --peers 200 --seed 1';
  return {
    ...report,
    engine: 'processes',
    made: { ...report.made, command, at: '2026-01-02T03:04:05Z', tookMs: 152_000 },
    modes: Object.fromEntries(modes),
  };
}
