import './no-style-elements.js';
import 'video.js/dist/video-js.css';
import { createPlayer } from 'inswarm/peer';
import videojs from 'video.js';
import { demoStream } from './demo-stream.ts';

const inswarm = {
  canPlayType: (type) => (type === 'application/x-inswarm' ? 'probably' : ''),
  canHandleSource: ({ type }) => inswarm.canPlayType(type),
  handleSource({ tracker, src }, tech) {
    const session = createPlayer(tech.el(), { tracker, stream: src });
    return { dispose: () => session.close() };
  },
};
videojs.getTech('Html5').registerSourceHandler(inswarm, 0);

const { tracker, stream } = await demoStream();
const player = videojs(document.querySelector('video'), { fluid: true, liveui: true });
player.src({ type: 'application/x-inswarm', src: stream, tracker });
