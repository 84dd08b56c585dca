import { ByteWriter } from '../../source-server/core/media/byte-writer.ts';

/** A minimal `moov` for one H.264 or AAC track, as a container would have it. */
export function makeMoov(kind: 'video' | 'audio', containerId: number, timescale: number): Uint8Array {
  const writer = new ByteWriter();
  writer.box('moov', () => {
    writer.box('trak', () => {
      writer.fullBox('tkhd', 0, 3, () => writer.zeros(8).u32(containerId).zeros(68));
      writer.box('edts', () => writer.zeros(8));
      writer.box('mdia', () => {
        writer.fullBox('mdhd', 0, 0, () => writer.zeros(8).u32(timescale).zeros(8));
        writer.box('minf', () =>
          writer.box('stbl', () => writer.fullBox('stsd', 0, 0, () => writeEntry(writer.u32(1), kind))),
        );
      });
    });
    writer.box('mvex', () =>
      writer.fullBox('trex', 0, 0, () => writer.u32(containerId).u32(1).u32(1024).u32(0).u32(0)),
    );
  });
  return writer.finish();
}

function writeEntry(writer: ByteWriter, kind: 'video' | 'audio'): void {
  if (kind === 'video') {
    writer.box('avc1', () => {
      writer.zeros(24).u16(640).u16(360).zeros(50);
      writer.box('avcC', () => writer.u8(1).u8(0x64).u8(0x00).u8(0x1e).u8(0xff).u8(0xe0).u8(0));
    });
    return;
  }
  writer.box('mp4a', () => {
    writer.zeros(16).u16(2).u16(16).zeros(4).u16(48_000).u16(0);
    writer.fullBox('esds', 0, 0, () => {
      writer.u8(0x03).u8(22).u16(1).u8(0);
      writer.u8(0x04).u8(17).u8(0x40).zeros(12);
      writer.u8(0x05).u8(2).u16(0x1190);
    });
  });
}
