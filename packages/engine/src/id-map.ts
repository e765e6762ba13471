// TaskId -> TaskIndex: an open-addressing hash table in two typed arrays. A Map
// would cost four times the memory and twice the time, and this is looked up
// and changed at every birth and eviction.
//
// Linear probing; deletion moves later entries of the run back (Knuth, The Art
// of Computer Programming 3, 6.4, algorithm R), so there are no tombstones.

import type { TaskId } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';

const FREE = 0; // no TaskId is 0

export class IdMap {
  #ids = new Float64Array(1024); // place -> TaskId | FREE
  #tasks = new Int32Array(1024); // place -> TaskIndex
  #mask = 1023;
  #shift = 22; // 32 less the bits of a place
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: TaskId): TaskIndex {
    const place = this.#placeOf(id);
    return this.#ids[place] === id ? (this.#tasks[place] as TaskIndex) : NO_TASK;
  }

  set(id: TaskId, task: TaskIndex): void {
    let place = this.#placeOf(id);
    if (this.#ids[place] !== id) {
      if (this.#size * 2 >= this.#ids.length) {
        this.#grow();
        place = this.#placeOf(id);
      }
      this.#size++;
      this.#ids[place] = id;
    }
    this.#tasks[place] = task;
  }

  delete(id: TaskId): void {
    let hole = this.#placeOf(id);
    if (this.#ids[hole] !== id) return;
    this.#size--;
    const mask = this.#mask;
    for (let next = (hole + 1) & mask; this.#ids[next] !== FREE; next = (next + 1) & mask) {
      const home = this.#homeOf(this.#ids[next] as number);
      // It may move into the hole unless its home lies between hole and itself.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#ids[hole] = this.#ids[next] as number;
      this.#tasks[hole] = this.#tasks[next] as number;
      hole = next;
    }
    this.#ids[hole] = FREE;
  }

  // Where the id is, or where it belongs.
  #placeOf(id: number): number {
    let place = this.#homeOf(id);
    while (this.#ids[place] !== FREE && this.#ids[place] !== id) place = (place + 1) & this.#mask;
    return place;
  }

  // Ids come in sequence: without scattering (Knuth's multiplicative hash) they would make one run as long as the table.
  #homeOf(id: number): number {
    return Math.imul(id | 0, 0x9e3779b1) >>> this.#shift;
  }

  #grow(): void {
    const [ids, tasks] = [this.#ids, this.#tasks];
    this.#ids = new Float64Array(ids.length * 2);
    this.#tasks = new Int32Array(ids.length * 2);
    this.#mask = this.#ids.length - 1;
    this.#shift--;
    for (let place = 0; place < ids.length; place++) {
      const id = ids[place] as number;
      if (id === FREE) continue;
      const moved = this.#placeOf(id);
      this.#ids[moved] = id;
      this.#tasks[moved] = tasks[place] as number;
    }
  }
}
