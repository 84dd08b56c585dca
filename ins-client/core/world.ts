import type { InsClientInput, InsClientOutput } from './io.ts';

/** The part of a conversation's border that faces the network; the other part faces the caller. */
export type InsWorldInput = Extract<
  InsClientInput,
  { readonly kind: 'opened' | 'closed' | 'message' | 'block' | 'violation' | 'signed' }
>;
export type InsWorldOutput = Extract<
  InsClientOutput,
  { readonly kind: 'dial' | 'send' | 'send-block' | 'close' | 'sign' }
>;
export type InsCallerInput = Exclude<InsClientInput, InsWorldInput>;
export type InsCallerOutput = Exclude<InsClientOutput, InsWorldOutput>;

export function isWorldOutput(output: InsClientOutput): output is InsWorldOutput {
  switch (output.kind) {
    case 'dial':
    case 'send':
    case 'send-block':
    case 'close':
    case 'sign':
      return true;
    default:
      return false;
  }
}
