import { shared } from './sheets.ts';
import dialogs from './styles/dialogs.css?inline';
import flow from './styles/flow.css?inline';
import menu from './styles/menu.css?inline';
import panel from './styles/panel.css?inline';
import theme from './styles/theme.css?inline';

/** What is opened by a press; `on-demand.ts` loads it. */
export { Flow } from './flow.ts';
export { keysDialog } from './keys-dialog.ts';
export { Menu } from './menu.ts';
export { menuEntries } from './menu-entries.ts';
export { Panel } from './panel.ts';
export { reportOf } from './report.ts';
export { ShareDialog } from './share-dialog.ts';

/** Styles of all that. */
export const sheets = shared([theme, menu, dialogs, panel, flow]);
