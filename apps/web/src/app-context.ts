import { createContext, useContext } from 'react';
import type { Connection } from './connection/connection.ts';
import type { Pace } from './layout/pace.ts';
import type { Past } from './replica/past.ts';
import type { Pinned } from './replica/pinned.ts';
import type { Replica } from './replica/replica.ts';

export interface App {
  readonly replica: Replica;
  readonly past: Past;
  readonly pinned: Pinned;
  readonly connection: Connection;
  readonly pace: Pace;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('useApp is for components inside AppContext');
  return app;
}
