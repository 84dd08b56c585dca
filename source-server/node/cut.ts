import type { Body } from '../../machine/machine.ts';
import { BLOCK_BYTES_MAX, BLOCKS_PER_PART_MAX } from '../../protocol/limits.ts';
import { nameOf } from '../../runtime/node/hash.ts';

/** A `free` box without content (ISO/IEC 14496-12 8.1.2): what stands in a stream where a track delivered nothing. */
const EMPTY_CHUNK = Uint8Array.of(0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65);

/** Cuts a chunk into named blocks: views of it, not copies. Null is an empty chunk. */
export function cutChunk(body: Body | null, blockBytes: number): { name: Uint8Array; body: Uint8Array }[] {
  const bytes = body === null ? EMPTY_CHUNK : (body as Uint8Array);
  const sizeBytes = Math.min(BLOCK_BYTES_MAX, Math.max(blockBytes, Math.ceil(bytes.length / BLOCKS_PER_PART_MAX)));
  const blocks: { name: Uint8Array; body: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    const block = bytes.subarray(at, at + sizeBytes);
    blocks.push({ name: nameOf(block), body: block });
  }
  return blocks;
}
