import 'vidstack/player/styles/default/theme.css';
import 'vidstack/player/styles/default/layouts/video.css';
import 'vidstack/player';
import 'vidstack/player/layouts/default';
import 'vidstack/player/ui';
import Hls from 'hls.js';
import { createPeer, hlsConfigFor } from 'inswarm/peer';
import { isHLSProvider } from 'vidstack';
import { demoStream } from './demo-stream.ts';

const player = document.querySelector('media-player')!;
const peer = createPeer(await demoStream());
player.addEventListener('provider-change', ({ detail: provider }) => {
  if (!isHLSProvider(provider)) return;
  provider.library = Hls;
  provider.config = hlsConfigFor(peer);
  provider.onInstance((hls) => peer.attach(hls));
});
player.src = { src: peer.src, type: 'application/vnd.apple.mpegurl' };
