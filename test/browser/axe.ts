import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SCRIPT = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2 AA with all that it contains, and what axe advises besides. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const LOOKS = {
  desk: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

export interface Look {
  readonly size: keyof typeof LOOKS;
  readonly colorScheme: 'dark' | 'light';
}

/** What axe finds wrong with the page as it looks so, in words; shadow roots are looked into. */
export async function violations(page: Page, { size, colorScheme }: Look): Promise<string[]> {
  await page.setViewportSize(LOOKS[size]);
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  // By the debugger's way in, which the page's policy does not bar.
  await page.evaluate(`if (window.axe === undefined) { ${SCRIPT} }`);
  // A frame or two for the styles of the other size; nothing fades for those who want no motion.
  await page.waitForTimeout(100);
  const found = await page.evaluate<
    { id: string; help: string; nodes: { target: unknown; failureSummary: string }[] }[]
  >(`axe.run({ runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] }).then(({ violations }) => violations)`);
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${size} ${colorScheme}: ${id}: ${help}: ${target} ${failureSummary}`),
  );
}
