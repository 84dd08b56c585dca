import { expect, test } from 'vitest';

test('the player can be imported where there is no document, as on a server that draws pages', async () => {
  expect(globalThis.document).toBeUndefined();
  const library = await import('../../web-player/library/player.ts');
  expect(library.isSupported()).toBe(false);
  expect(Object.keys(library)).toEqual(
    expect.arrayContaining(['InswarmPlayerElement', 'createPeer', 'createPlayer', 'hlsConfigFor', 'InswarmLoader']),
  );
});
