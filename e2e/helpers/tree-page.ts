// What a person sees and does on the tree page.

import { expect, type Locator, type Page } from '@playwright/test';
import type { Dendro } from './dendro.ts';

/** What is fetched ahead last: the tabs of the details. */
const LAST_AHEAD = '/assets/raw-tab-';

/** Resolves when the page has all that it fetches ahead. */
export async function fetchedAhead(page: Page): Promise<void> {
  await page.waitForFunction(
    (last) => performance.getEntriesByType('resource').some(({ name }) => name.includes(last)),
    LAST_AHEAD,
  );
  await page.waitForLoadState('networkidle');
}

/** Everything that the page asks for from now on. What it fetches ahead has come before. */
export async function requestsFromNow(page: Page): Promise<readonly string[]> {
  await fetchedAhead(page);
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  return urls;
}

export class TreePage {
  readonly page: Page;
  readonly grid: Locator;
  readonly rows: Locator;

  constructor(page: Page) {
    this.page = page;
    this.grid = page.getByTestId('tree-grid');
    this.rows = page.getByTestId('tree-row');
  }

  static async open(page: Page, dendro: Dendro): Promise<TreePage> {
    const tree = new TreePage(page);
    await page.goto(dendro.url ?? '');
    await expect(tree.rows.first()).toBeVisible();
    return tree;
  }

  /** From the next visit on, siblings that are alike have a row each. */
  static async keepApart(page: Page): Promise<void> {
    await page.addInitScript(() => localStorage.setItem('dendro-alike', 'apart'));
  }

  /** The row of a process, by pid. */
  row(pid: number | undefined): Locator {
    return this.page.locator(`[data-testid="tree-row"][data-pid="${pid}"]`);
  }

  get omnibox(): Locator {
    return this.page.getByRole('combobox', { name: 'Find, filter, command' });
  }

  /** Shows only what matches; everything again with an empty text. */
  async filter(text: string): Promise<void> {
    await this.omnibox.fill(text);
    if (text === '') return;
    const only = this.page.getByRole('button', { name: 'Show only what matches' });
    if ((await only.getAttribute('aria-pressed')) === 'false') await only.click();
  }

  /** Selects a process wherever it stands; it stays in view when the filter is cleared. */
  async reveal(pid: number | undefined): Promise<Locator> {
    await this.filter(String(pid));
    await this.row(pid).click();
    await this.filter('');
    await expect(this.row(pid)).toHaveAttribute('aria-selected', 'true');
    return this.row(pid);
  }
}
