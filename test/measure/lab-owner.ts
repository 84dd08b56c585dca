/** A process that opens a lab, says who is in it, and waits to be killed. */
import { host, openStage, play } from './lab-stage.ts';

const lab = await openStage();
const players = await Promise.all(
  [1, 2].map((number) => play(lab, `program ${number}`, [host(`198.18.1.${number}`, 0)])),
);
// One stands still, as programs do that are stopped.
process.kill(players[1]!.program.pid, 'SIGSTOP');
process.send!([lab.relayPid, ...players.map(({ program }) => program.pid)]);
