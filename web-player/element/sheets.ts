import base from './styles/base.css?inline';
import notice from './styles/notice.css?inline';
import stage from './styles/stage.css?inline';

/** The element's styles, but for what is loaded later. */
export const playerSheets = shared([base, stage, notice]);

/** Styles that are made once and shared by all players of a page. A policy without 'unsafe-inline' lets them pass. */
export function shared(texts: readonly string[]): () => readonly CSSStyleSheet[] {
  let sheets: readonly CSSStyleSheet[] | undefined;
  return () => {
    sheets ??= texts.map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    return sheets;
  };
}
