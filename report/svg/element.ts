/** Markup as text: everything that is not markup is escaped here and nowhere else. */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for between tags and for attributes. Characters that XML does not allow become spaces. */
export function escaped(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, ' ').replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}

export type Child = Markup | string | readonly Child[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element, its attributes and children escaped; numbers are rounded to a hundredth. */
export function el(name: string, attributes: Attributes = {}, ...children: readonly Child[]): Markup {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) text += ` ${key}="${typeof value === 'number' ? short(value) : escaped(value)}"`;
  }
  const inner = inside(children);
  if (inner === '' && !MUST_CLOSE.has(name)) return { markup: `${text}/>` };
  return { markup: `${text}>${inner}</${name}>` };
}

/** What HTML would not take as `<name/>`. */
const MUST_CLOSE = new Set([
  'div',
  'span',
  'p',
  'td',
  'th',
  'section',
  'figure',
  'b',
  'ul',
  'ol',
  'i',
  'text',
  'title',
]);

export function inside(children: readonly Child[]): string {
  return children
    .map((child) => (typeof child === 'string' ? escaped(child) : isMarkup(child) ? child.markup : inside(child)))
    .join('');
}

function isMarkup(child: Markup | readonly Child[]): child is Markup {
  return 'markup' in child;
}

/** A number as short as a hundredth of a pixel allows. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
