import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Where a stream's numbers go on. */
export interface StreamNumbers {
  readonly part: number;
  readonly segment: number;
  /** On the stream's timeline. */
  readonly timeUs: number;
}

const START: StreamNumbers = { part: 0, segment: 0, timeUs: 0 };
/** Reserved at once: a source that is killed leaves a gap of at most so much. */
const RESERVE_PARTS = 24;
const RESERVE_MS = 6_000;

/**
 * Keeps the numbers of a stream over restarts: viewers must never see one part number twice with other bytes. Numbers are
 * reserved in the file before they are used, and given back at a clean end.
 */
export class NumbersFile {
  readonly start: StreamNumbers;
  private readonly path: string;
  private readonly onProblem: (text: string) => void;
  private next: StreamNumbers;
  private reserved: StreamNumbers;

  /**
   * @param onProblem - Hears when numbers cannot be kept: the stream goes on without.
   * @throws Error with one sentence for people when the file is there and cannot be used.
   */
  constructor(path: string, onProblem: (text: string) => void) {
    this.path = path;
    this.onProblem = onProblem;
    this.start = readNumbers(path);
    this.next = this.start;
    this.reserved = this.start;
  }

  /** The part with these numbers is about to be published. */
  use({ part, segment, timeUs }: StreamNumbers, durationUs: number): void {
    this.next = { part: part + 1, segment: segment + 1, timeUs: timeUs + durationUs };
    const { reserved, next } = this;
    if (next.part < reserved.part && next.segment < reserved.segment && next.timeUs < reserved.timeUs) return;
    this.write({
      part: next.part + RESERVE_PARTS,
      segment: next.segment + RESERVE_PARTS,
      timeUs: next.timeUs + RESERVE_MS * 1000,
    });
  }

  /** A clean end: the next start continues without a gap. */
  close(): void {
    if (this.next !== this.start) this.write(this.next);
  }

  private write(numbers: StreamNumbers): void {
    this.reserved = numbers;
    const draft = `${this.path}.new`;
    try {
      writeFileSync(draft, `${JSON.stringify(numbers)}\n`);
      renameSync(draft, this.path);
    } catch (error) {
      this.onProblem(`the stream's numbers cannot be kept in ${this.path}: ${(error as Error).message}`);
    }
  }
}

function readNumbers(path: string): StreamNumbers {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return START;
    throw new Error(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const { part, segment, timeUs } = JSON.parse(text) as Partial<StreamNumbers>;
    if (isCount(part) && isCount(segment) && isCount(timeUs)) return { part, segment, timeUs };
  } catch {
    // Told below.
  }
  throw new Error(`${path} does not hold a stream's numbers; delete it and its key beside it to begin a new stream`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
