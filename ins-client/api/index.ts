/** What applications use, the same on every platform. Its platform's own part is in `node/index.ts` and `browser/index.ts`. */
export type { CancelSignal } from './cancel.ts';
export type { InsClient } from './client.ts';
export { InsError, type InsReason, type Refusal } from './errors.ts';
export type { Wanted, WantedByLabel, WantedByName } from './get-call.ts';
export { accountOf, type Keys } from './keys.ts';
export type {
  CallOptions,
  FollowOptions,
  GetOptions,
  InsClientOptions,
  InsState,
  LockerOptions,
  LockerStatus,
  ObjectAttributes,
  PutOptions,
  ServerInfo,
} from './options.ts';
export type { LabelledToPut, ObjectToPut } from './put-call.ts';
export type {
  DeleteResult,
  DoneObject,
  GetResult,
  GotObject,
  ObjectLabel,
  PutResult,
  RefusedObject,
} from './results.ts';
export type { AccountLike, CollectionLike, NameLike, TokenLike } from './texts.ts';
export { type Operation, readToken, type ServerId, type TokenClaims, type TokenContent } from './token.ts';
