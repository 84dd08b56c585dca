import Hls from 'hls.js';
import { createPeer, hlsConfigFor } from 'inswarm/peer';
import { demoStream } from './demo-stream.ts';

const video = document.querySelector('video')!;
const peer = createPeer(await demoStream());
const hls = new Hls({ ...hlsConfigFor(peer), debug: false });
hls.loadSource(peer.src);
hls.attachMedia(video);
peer.attach(hls);

const output = document.querySelector('output')!;
peer.on('source-changed', ({ from }) => {
  output.textContent = from;
});
