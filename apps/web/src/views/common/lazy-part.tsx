import { type ComponentType, lazy } from 'react';
import { NotLoaded } from '../pages/not-loaded.tsx';

/** A part of the page that is fetched when it is first shown. Where it cannot be, it says so. */
export function lazyPart<P extends object>(load: () => Promise<ComponentType<P>>) {
  return lazy(() =>
    load().then(
      (part): { default: ComponentType<P> } => ({ default: part }),
      () => ({ default: NotLoaded }),
    ),
  );
}

const AHEAD_MS = 1000;

/** Fetches a part that is likely to be wanted, once there is time: then it is there even when the server is not. */
export function fetchAhead(load: () => Promise<unknown>): void {
  // Where it cannot be had, that is said when somebody asks for it.
  setTimeout(() => void load().catch(() => undefined), AHEAD_MS);
}
