import 'inswarm/player';
import { demoStream } from './demo-stream.ts';

const { tracker, stream } = await demoStream();
for (const player of document.querySelectorAll('inswarm-player')) {
  player.tracker = tracker;
  player.stream = stream;
  player.addEventListener('freeze', () => console.info('a picture stands'));
}
