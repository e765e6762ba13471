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
