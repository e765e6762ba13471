// A map of what was set last. It holds at most `size` entries and at least the
// newest half of that; forgetting half at once costs nothing per entry, which
// deleting the oldest of a Map one by one does.

export class Recent<V> {
  readonly #half: number;
  #young = new Map<number, V>();
  #old = new Map<number, V>();

  constructor(size: number) {
    this.#half = size / 2;
  }

  get isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0;
  }

  get(key: number): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: number, value: V): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: number): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
