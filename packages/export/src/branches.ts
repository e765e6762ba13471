// What the lines of a text tree begin with. A chain can be thousands deep: what
// is deeper than can be drawn stands at one place, with its depth before it, or
// each line would be as long as its process is deep.

export interface BranchStyle {
  /** Lines deeper than this are not indented further. Roots are at depth 0. */
  readonly maxDepth: number;
  /** After each branch. */
  readonly gap: string;
  /** How a depth is written that is not drawn. */
  readonly deep: (depth: number) => string;
}

export class Branches {
  readonly #style: BranchStyle;
  /** By depth: what the lines begin with that are below the last line there. */
  readonly #below: string[] = [];

  constructor(style: BranchStyle) {
    this.#style = style;
  }

  /** Lines in preorder. @param isLast is no other line of the same parent to come? */
  next(depth: number, isLast: boolean): string {
    const { maxDepth, gap, deep } = this.#style;
    if (depth > maxDepth) return `${this.#below[maxDepth] ?? ''}${deep(depth)}`;
    if (depth === 0) {
      this.#below[0] = '';
      return '';
    }
    const before = this.#below[depth - 1] ?? '';
    this.#below[depth] = before + (isLast ? '  ' : '│ ') + gap;
    return before + (isLast ? '└─' : '├─') + gap;
  }
}
