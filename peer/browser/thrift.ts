/** What browsers tell of the connection (Network Information API), where they do. */
interface Connection extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
}

const REDUCED_DATA = '(prefers-reduced-data: reduce)';

/** Whether the viewer wants to save data or most likely pays for it, as far as the browser says. */
export function isThrifty(): boolean {
  const { saveData, type } = connection() ?? {};
  return saveData === true || type === 'cellular' || matchMedia(REDUCED_DATA).matches;
}

/** Calls when that has changed; gives back what ends it. */
export function onThrift(listener: (isThrifty: boolean) => void): () => void {
  let was = isThrifty();
  const look = (): void => {
    const is = isThrifty();
    if (is !== was) listener(is);
    was = is;
  };
  const sources = [connection(), matchMedia(REDUCED_DATA)];
  for (const source of sources) source?.addEventListener('change', look);
  return () => {
    for (const source of sources) source?.removeEventListener('change', look);
  };
}

function connection(): Connection | undefined {
  return (navigator as { readonly connection?: Connection }).connection;
}
