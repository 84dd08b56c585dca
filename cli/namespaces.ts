import type { OpenNamespaces } from '../test/harness/agent/agent.ts';

/** Links that the kernel makes. */
export const namespaces: OpenNamespaces = {
  can: async () => ({ ok: false, why: 'not built yet' }),
  open: async () => {
    throw new Error('not built yet');
  },
};
