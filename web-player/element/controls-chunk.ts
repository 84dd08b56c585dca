import { shared } from './sheets.ts';
import controls from './styles/controls.css?inline';
import overPicture from './styles/over-picture.css?inline';
import seek from './styles/seek.css?inline';

/** What a viewer does with a picture that is there, and what there is to say about it; `on-demand.ts` loads it. */
export { Hands } from './hands.ts';
export { messageFor } from './message.ts';

export const sheets = shared([overPicture, controls, seek]);
