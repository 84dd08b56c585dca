import type { ColumnReport, Figures, Report } from './report.ts';
import { countText } from './text.ts';

/** How many runs a report's figures are means of, in words: `1 seed`, `10 seeds`, `5 runs of one seed`. */
export function runsText({ seeds }: Pick<Report, 'seeds'>): string {
  const different = new Set(seeds).size;
  if (different === seeds.length) return `${countText(different)} ${different === 1 ? 'seed' : 'seeds'}`;
  return `${countText(seeds.length)} runs of ${different === 1 ? 'one seed' : `${countText(different)} seeds`}`;
}

/** Whether there are runs enough for confidence intervals. */
export function hasIntervals({ seeds }: Pick<Report, 'seeds'>): boolean {
  return seeds.length > 1;
}

/** Figures of the runs of the same seeds, the first repetition beside the first; what only one of the columns has is left out. */
export function pairedRuns(
  from: Pick<ColumnReport, 'runs'>,
  to: Pick<ColumnReport, 'runs'>,
): readonly { readonly before: Figures; readonly after: Figures }[] {
  const left = [...to.runs];
  return from.runs.flatMap(({ seed, figures }) => {
    const at = left.findIndex((run) => run.seed === seed);
    const [other] = at < 0 ? [] : left.splice(at, 1);
    return other === undefined ? [] : [{ before: figures, after: other.figures }];
  });
}
