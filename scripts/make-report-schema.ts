import { writeFileSync } from 'node:fs';
import { reportJsonSchema } from '../report/report-shape.ts';

/** Writes docs/report.schema.json anew from the shape that reports are read by: `npx tsx scripts/make-report-schema.ts`. */
writeFileSync(
  new URL('../docs/report.schema.json', import.meta.url),
  `${JSON.stringify(reportJsonSchema(), null, 1)}\n`,
);
