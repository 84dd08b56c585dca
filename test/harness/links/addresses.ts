/** Where hosts listen, each on its own address: trackers, INS servers, sources and viewers alike; and a source's plain LL-HLS. */
export const HOST_PORT = 4_800;
export const SOURCE_HLS_PORT = 4_801;
