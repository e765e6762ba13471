// How a person has chosen to see the tree: columns, density, what is folded
// together, what is left out, and in which zone its times are. Which task is selected is in view-store.ts.

import type { TaskId } from '@dendro/protocol';
import { create } from 'zustand';
import type { Chip } from '../layout/chips.ts';
import { type ColumnId, parseColumns, printColumns, USUAL_COLUMNS } from '../layout/columns.ts';
import { type Density, ROW_HEIGHTS } from '../layout/row-window.ts';
import type { GroupKey } from '../layout/sibling-groups.ts';
import { setUtc } from '../layout/zone.ts';
import { readStored, store } from './stored.ts';

export interface Followed {
  readonly task: TaskId;
  /** Why it is this one: a descendant of it that was followed before has ended. */
  readonly because: string | undefined;
}

export interface TreeState {
  readonly columns: readonly ColumnId[];
  readonly density: Density;
  /** Are siblings that are alike shown in one row? */
  readonly groupsAlike: boolean;
  readonly openGroups: ReadonlySet<GroupKey>;
  /** The group whose row is selected; no task is then. */
  readonly selectedGroup: GroupKey | undefined;
  readonly chip: Chip;
  readonly hidesOwn: boolean;
  /** Are times those of UTC? Otherwise those of this browser. */
  readonly isUtc: boolean;
  readonly followed: Followed | undefined;
}

const COLUMNS_KEY = 'dendro-columns';
const DENSITY_KEY = 'dendro-density';
const ALIKE_KEY = 'dendro-alike';
const OWN_KEY = 'dendro-own';
const ZONE_KEY = 'dendro-zone';

/** What names tasks. */
const OF_ONE_TREE = { openGroups: new Set<GroupKey>(), selectedGroup: undefined, followed: undefined };

export const useTree = create<TreeState>()(() => ({
  columns: parseColumns(readStored(COLUMNS_KEY)) ?? USUAL_COLUMNS,
  density: readStored(DENSITY_KEY) === 'compact' ? 'compact' : 'comfortable',
  groupsAlike: readStored(ALIKE_KEY) !== 'apart',
  hidesOwn: readStored(OWN_KEY) === 'hidden',
  isUtc: readStored(ZONE_KEY) === 'utc',
  chip: 'all',
  ...OF_ONE_TREE,
}));

setUtc(useTree.getState().isUtc);

const set = useTree.setState;

export const treeView = {
  toggleColumn: (id: ColumnId) => {
    const { columns } = useTree.getState();
    setColumns(columns.includes(id) ? columns.filter((one) => one !== id) : [...columns, id]);
  },
  usualColumns: () => setColumns(USUAL_COLUMNS),
  setDensity: (density: Density) => {
    set({ density });
    store(DENSITY_KEY, density);
  },
  toggleAlike: () => {
    const groupsAlike = !useTree.getState().groupsAlike;
    set({ groupsAlike });
    store(ALIKE_KEY, groupsAlike ? 'together' : 'apart');
  },
  toggleOwn: () => {
    const hidesOwn = !useTree.getState().hidesOwn;
    set({ hidesOwn });
    store(OWN_KEY, hidesOwn ? 'hidden' : 'shown');
  },
  showUtc: (isUtc: boolean) => {
    setUtc(isUtc);
    set({ isUtc });
    store(ZONE_KEY, isUtc ? 'utc' : 'browser');
  },
  toggleGroup: (group: GroupKey) =>
    set(({ openGroups }) => ({ openGroups: openGroups.symmetricDifference(new Set([group])) })),
  setChip: (chip: Chip) => set({ chip }),
  follow: (task: TaskId, because?: string) => set({ followed: { task, because } }),
  stopFollowing: () => set({ followed: undefined }),
  /** What is shown next is of another tree. */
  leaveTree: () => set(OF_ONE_TREE),
};

export function useRowHeight(): number {
  return ROW_HEIGHTS[useTree((state) => state.density)];
}

function setColumns(columns: readonly ColumnId[]): void {
  set({ columns });
  store(COLUMNS_KEY, printColumns(columns));
}
