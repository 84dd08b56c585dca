import { Dialog } from './dialog.ts';
import { el } from './dom.ts';

/** What `Actions` can do by key, as it is told to people. */
const KEYS: readonly (readonly [keys: readonly string[], meaning: string])[] = [
  [['Space', 'K'], 'Play or pause'],
  [['J', 'L'], '10 seconds back or forward'],
  [['←', '→'], '5 seconds back or forward'],
  [['0', '9'], 'To a tenth of what can be sought'],
  [['Home', 'End'], 'To the oldest moment, to the live edge'],
  [['↑', '↓'], 'Louder or quieter'],
  [['M'], 'Sound off or on'],
  [['C'], 'Captions off or on'],
  [['F'], 'Full screen'],
  [['I'], 'Picture in picture'],
  [['S'], 'Share'],
  [['D'], 'What is going on'],
  [['?'], 'These keys'],
];

export function keysDialog(): Dialog {
  const rows = KEYS.flatMap(([keys, meaning]) => [
    el('dt', {}, ...keys.map((key) => el('kbd', {}, key))),
    el('dd', {}, meaning),
  ]);
  return new Dialog('Keys', 'keys', el('dl', {}, ...rows));
}
