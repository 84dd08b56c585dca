/**
 * What the baseline server on the `ws` library understands: `[SEND, first u16, count u16]` is answered by so many of its frames;
 * `[JOIN, stream]` joins a stream; `[FAN_OUT, stream] ‖ frame` sends a frame to all who joined.
 */
export const SEND = 1;
export const JOIN = 2;
export const FAN_OUT = 3;
