import base from './styles/base.css?inline';
import controls from './styles/controls.css?inline';
import flow from './styles/flow.css?inline';
import menu from './styles/menu.css?inline';
import notice from './styles/notice.css?inline';
import panel from './styles/panel.css?inline';
import seek from './styles/seek.css?inline';
import stage from './styles/stage.css?inline';

let sheets: readonly CSSStyleSheet[] | undefined;

/** The element's styles, made once and shared by all players of a page. A policy without 'unsafe-inline' lets them pass. */
export function playerSheets(): CSSStyleSheet[] {
  sheets ??= [base, stage, notice, controls, seek, menu, panel, flow].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return [...sheets];
}
