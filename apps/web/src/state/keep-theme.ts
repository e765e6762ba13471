import { useView } from './view-store.ts';

/** Puts the chosen theme on the page, before anything is drawn and whenever it changes. */
export function keepTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = useView.getState().theme;
  };
  apply();
  useView.subscribe(apply);
}
