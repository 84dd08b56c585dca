import type { Visit } from '../../../scenarios/plan/arrivals.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import type { Faults } from './faults.ts';
import type { Placement } from './placement.ts';
import type { Players } from './players.ts';
import type { ProgramSpecs } from './program-specs.ts';
import type { Record, Stay } from './record.ts';
import type { RunClock } from './run-clock.ts';
import type { Workers } from './workers.ts';

/** Orders are sent ahead of their time, so that none is late for being on its way. */
const AHEAD_MS = 400;

export interface VisitsOptions {
  readonly plan: RunPlan;
  readonly clock: RunClock;
  readonly placement: Placement;
  readonly players: Players;
  readonly specs: ProgramSpecs;
  readonly workers: Workers;
  readonly faults: Faults;
  readonly record: Record;
}

/** The coming and going of viewers, by the plan and by hand: tells workers, and the record whom to expect. */
export class Visits {
  /** Stays that ended without a word. */
  readonly crashed = new Set<string>();
  /** Stays that were told to end. */
  private readonly leaving = new Set<string>();
  /** By viewer: its stays so far. */
  private readonly stays = new Map<number, number>();
  private readonly options: VisitsOptions;

  constructor(options: VisitsOptions) {
    this.options = options;
  }

  /** Has all come and go as the plan says. */
  schedule(): void {
    for (const visit of this.options.plan.visits) this.scheduleOne(visit);
  }

  /** A viewer comes, or comes back, now. */
  enter(viewer: number): void {
    const { clock, placement } = this.options;
    if (this.isHere(viewer) || placement.layout.viewers[viewer] === undefined) return;
    const again = this.stays.get(viewer) ?? 0;
    const visit = { viewer, again, joinAtMs: clock.elapsedMs, leaveAtMs: Number.POSITIVE_INFINITY, crashes: false };
    this.join(visit, null);
  }

  leave(viewer: number, crashes: boolean): void {
    const stay = this.stayOf(viewer);
    if (stay === undefined) return;
    this.stop(stay.id, viewer, crashes);
  }

  private isHere(viewer: number): boolean {
    return this.stayOf(viewer) !== undefined;
  }

  /** Of a viewer who is here, or about to be. */
  private stayOf(viewer: number): Stay | undefined {
    const again = (this.stays.get(viewer) ?? 0) - 1;
    const stay = this.options.record.stay(stayId(viewer, again));
    return stay === undefined || stay.leftAtMs !== null || this.leaving.has(stay.id) ? undefined : stay;
  }

  private scheduleOne(visit: Visit): void {
    const { plan, clock, players } = this.options;
    const { viewer, joinAtMs, leaveAtMs, crashes } = visit;
    if (joinAtMs >= plan.seconds * 1000) return;
    // A page is loaded long before somebody presses play.
    const aheadMs = players.browsers.has(viewer) && visit.again === 0 ? Number.POSITIVE_INFINITY : AHEAD_MS;
    let id: string | undefined;
    const come = (): boolean => {
      if (this.isHere(viewer)) return false;
      id = this.join(visit, clock.startMs + joinAtMs);
      return true;
    };
    clock.at(joinAtMs - aheadMs, () => {
      // Whoever leaves only now, and comes back at once, is not yet gone.
      if (!come()) clock.at(joinAtMs, come);
    });
    if (leaveAtMs >= plan.seconds * 1000) return;
    clock.at(leaveAtMs, () => {
      if (id !== undefined) this.stop(id, viewer, crashes);
    });
  }

  /** @returns The stay's id. */
  private join(visit: Visit, atMs: number | null): string {
    const { placement, record, faults, workers, specs } = this.options;
    const { viewer } = visit;
    const again = this.stays.get(viewer) ?? 0;
    this.stays.set(viewer, again + 1);
    const id = stayId(viewer, again);
    const { address } = placement.layout.viewers[viewer]!;
    record.coming(id, { ...visit, again });
    if (again > 0) faults.link({ do: 'reconnect', host: address });
    workers.tell(address, { do: 'start', id, program: specs.viewer(viewer), atMs });
    return id;
  }

  private stop(id: string, viewer: number, crashes: boolean): void {
    const { placement, faults, workers } = this.options;
    if (this.leaving.has(id)) return;
    this.leaving.add(id);
    const { address } = placement.layout.viewers[viewer]!;
    if (crashes) {
      this.crashed.add(id);
      // Nothing of what it would say gets out.
      faults.link({ do: 'cut-off', host: address });
    }
    workers.tell(address, { do: 'stop', id, crashes });
  }
}

function stayId(viewer: number, again: number): string {
  return `viewer ${viewer}.${again}`;
}
