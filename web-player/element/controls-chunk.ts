import { shared } from './sheets.ts';
import controls from './styles/controls.css?inline';
import seek from './styles/seek.css?inline';

/** What lies along the lower edge of a picture that plays; `on-demand.ts` loads it. */
export { Controls } from './controls.ts';

export const sheets = shared([controls, seek]);
