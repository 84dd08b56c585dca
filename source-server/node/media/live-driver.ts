import type { Input } from '../../core/media/input.ts';
import type { Driver, DriverContext } from './driver.ts';
export function stdinDriver(_c: DriverContext, _s: NodeJS.ReadableStream): Driver {
  throw new Error('todo');
}
export function rtmpDriver(_c: DriverContext, _i: Extract<Input, { kind: 'rtmp' }>): Driver {
  throw new Error('todo');
}
export function hlsDriver(_c: DriverContext, _u: string): Driver {
  throw new Error('todo');
}
