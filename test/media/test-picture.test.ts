import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';
import { CLOCK_BITS, testPlan } from '../../source-server/node/media/plan.ts';

const [WIDTH, HEIGHT, FRAMES] = [160, 90, 4];
const OPTIONS = { transcode: false, ladder: [], segmentMs: 1_000, paced: true };

it('the test pattern shows the time at which each frame was made', async () => {
  const { path } = await findFfmpeg();
  const { inputArgs } = testPlan(WIDTH, HEIGHT, OPTIONS);
  const raw = ['-map', '0:v', '-frames:v', String(FRAMES), '-f', 'rawvideo', '-pix_fmt', 'gray', '-'];
  const now = () => Math.floor(Date.now() / 10) % 2 ** CLOCK_BITS;
  const before = now();
  const { stdout } = await promisify(execFile)(path, ['-v', 'error', ...inputArgs, ...raw], { encoding: 'buffer' });
  const after = now();
  const shown = Array.from({ length: FRAMES }, (_, frame) => clockOf(stdout, frame));
  expect(shown).toEqual([...shown].sort((a, b) => a - b));
  expect(shown[0]).toBeGreaterThanOrEqual(before);
  expect(shown.at(-1)).toBeLessThanOrEqual(after);
});

/** From a line in the middle of the strip along the lower edge. */
function clockOf(pixels: Buffer, frame: number): number {
  const line = (frame * HEIGHT + HEIGHT - 2) * WIDTH;
  let clock = 0;
  for (let bit = 0; bit < CLOCK_BITS; bit++) {
    const middle = Math.floor(((bit + 0.5) * WIDTH) / CLOCK_BITS);
    clock = clock * 2 + (pixels[line + middle]! > 125 ? 1 : 0);
  }
  return clock;
}
