import { escaped, type Markup } from '../svg/element.ts';
import { STYLE } from './style.ts';

/** One HTML file that opens anywhere: no server, no script, nothing from elsewhere. */
export function documentOf(title: string, body: Markup): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)} · inswarm</title><style>${STYLE}</style></head>`,
    `<body>${body.markup}</body></html>`,
    '',
  ].join('\n');
}
