import { EMPTY_PUT } from '../../protocol/ins-messages.ts';
import { type Ask, type Asked, NO_ENVELOPE, PLAIN } from './calls.ts';
import type { InsClientInput } from './io.ts';
import { Orders } from './orders.ts';
import type { Requests } from './requests.ts';

type Input<Kind extends InsClientInput['kind']> = Extract<InsClientInput, { readonly kind: Kind }>;
export type OwnerItems = Input<'put' | 'delete' | 'status' | 'describe'>;

/** What is asked by whoever has a locker to fill and to look after. Viewers are made without it, and their pages load none of it. */
export interface OwnerCalls {
  itemsOf(input: OwnerItems): Asked;
  orders(requests: Requests): Orders;
}

export const ownerCalls: OwnerCalls = {
  itemsOf({ handle, ...input }: OwnerItems): Asked {
    const none = { handle, envelope: NO_ENVELOPE };
    switch (input.kind) {
      case 'put': {
        const { collection, ttlSeconds } = input;
        return { handle, envelope: { ...NO_ENVELOPE, collection, ttlSeconds }, asks: putsOf(input) };
      }
      case 'delete':
        return { ...none, asks: deletesOf(input) };
      case 'status':
        return { ...none, asks: [statusOf(input)] };
      case 'describe':
        return { ...none, asks: [describeOf(input)] };
    }
  },
  orders: (requests) => new Orders(requests),
};

type Of<Kind extends OwnerItems['kind']> = Omit<Input<Kind>, 'handle'>;

function putsOf({ token = null, items, bodies }: Of<'put'>): readonly Ask[] {
  return items.map((put, at): Ask => {
    const { reference = null, companion } = put;
    return {
      ...PLAIN,
      ...{ list: 'puts', answer: 'stored', token, messageBytes: companion.length },
      // The server has what is put by reference: its bytes do not follow.
      body: reference === null ? bodies[at]! : null,
      item: (alias) => ({ ...EMPTY_PUT, ...put, token: alias }),
    };
  });
}

function deletesOf({ token, names }: Of<'delete'>): readonly Ask[] {
  return names.map((name): Ask => {
    return { ...PLAIN, list: 'deletes', answer: 'deleted', token, item: (alias) => ({ token: alias, name }) };
  });
}

function statusOf({ token }: Of<'status'>): Ask {
  return { ...PLAIN, list: 'statuses', answer: 'usage', token, item: (alias) => ({ token: alias }) };
}

function describeOf({ token, name, set }: Of<'describe'>): Ask {
  const item = (alias: number) => ({ token: alias, name, set });
  return { ...PLAIN, list: 'describes', answer: 'attributes', token, item };
}
