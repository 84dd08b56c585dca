import { demoStream } from './demo-stream.ts';

// On your page, write the two attributes into the HTML.
const { tracker, stream } = await demoStream();
for (const player of document.querySelectorAll('inswarm-player')) {
  player.setAttribute('tracker', tracker);
  player.setAttribute('stream', stream);
}
