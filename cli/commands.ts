import type { Command } from './command.ts';
import { agent } from './commands/agent.ts';
import { demo } from './commands/demo.ts';
import { ins } from './commands/ins.ts';
import { invite } from './commands/invite.ts';
import { keygen } from './commands/keygen.ts';
import { measure } from './commands/measure.ts';
import { measureCompare } from './commands/measure-compare.ts';
import { measureCrossCheck } from './commands/measure-cross-check.ts';
import { name } from './commands/name.ts';
import { peer } from './commands/peer.ts';
import { sim } from './commands/sim.ts';
import { simCompare } from './commands/sim-compare.ts';
import { source } from './commands/source.ts';
import { token } from './commands/token.ts';
import { tracker } from './commands/tracker.ts';

/** In the order of the help; a command under another comes after it. */
export const COMMANDS: readonly Command[] = [
  demo,
  source,
  tracker,
  ins,
  peer,
  keygen,
  invite,
  token,
  name,
  sim,
  simCompare,
  measure,
  agent,
  measureCompare,
  measureCrossCheck,
];
