// Who may import whom: the architecture as data. tools/check-edges.ts holds the code to it.
//
//   protocol <- engine <- { sources, history, detectors, export } <- apps/server
//   apps/web -> { protocol, engine, export, the decoders of sources }      testkit: for tests and benches only
//
// If two packages need one thing, it moves left, not sideways.

export interface PackageRule {
  /** Folder from the root of the workspace. */
  readonly folder: string;
  /** Packages that all of its files may import. */
  readonly imports: readonly string[];
  /** Packages that its tests and benches may import besides. Must not close a circle: such tests belong in testkit. */
  readonly testImports: readonly string[];
  /** Further public modules by name, each with its file. Nothing that they reach imports anything of Node: browsers load them. */
  readonly inBrowsers?: Readonly<Record<string, string>>;
  /** Scripts of other packages that it starts, as processes or as workers. */
  readonly starts?: readonly string[];
}

/** A module that only some files may import, or that some may not. */
export interface ModuleRule {
  /** Exact name; `node:*` stands for everything that comes with Node. */
  readonly module: string;
  readonly only?: readonly string[];
  readonly never?: readonly string[];
  readonly because: string;
}

/** An exception from the rules below. Every one is a debt, and has a reason. */
export interface Debt {
  /** File from the root of the workspace. */
  readonly file: string;
  /** As written in the import. */
  readonly imports: string;
  readonly because: string;
}

export interface EdgeTable {
  readonly packages: Readonly<Record<string, PackageRule>>;
  readonly modules: readonly ModuleRule[];
  readonly debt: readonly Debt[];
}

export const ALLOWED_EDGES: EdgeTable = {
  packages: {
    '@dendro/protocol': { folder: 'packages/protocol', imports: [], testImports: [] },
    '@dendro/engine': { folder: 'packages/engine', imports: ['@dendro/protocol'], testImports: [] },
    '@dendro/export': {
      folder: 'packages/export',
      imports: ['@dendro/protocol', '@dendro/engine'],
      testImports: [],
    },
    '@dendro/sources': {
      folder: 'packages/sources',
      imports: ['@dendro/protocol', '@dendro/engine'],
      testImports: [],
      inBrowsers: { '@dendro/sources/decoders': 'packages/sources/src/decoders.ts' },
    },
    '@dendro/history': {
      folder: 'packages/history',
      imports: ['@dendro/protocol', '@dendro/engine'],
      testImports: ['@dendro/testkit'],
    },
    '@dendro/detectors': {
      folder: 'packages/detectors',
      imports: ['@dendro/protocol', '@dendro/engine'],
      testImports: ['@dendro/testkit'],
    },
    '@dendro/testkit': {
      folder: 'packages/testkit',
      imports: ['@dendro/protocol', '@dendro/engine', '@dendro/sources'],
      testImports: [],
      starts: ['apps/server/bench/capture-worker.ts'],
    },
    '@dendro/server': {
      folder: 'apps/server',
      imports: [
        '@dendro/protocol',
        '@dendro/engine',
        '@dendro/export',
        '@dendro/sources',
        '@dendro/history',
        '@dendro/detectors',
      ],
      testImports: ['@dendro/testkit'],
    },
    '@dendro/web': {
      folder: 'apps/web',
      imports: ['@dendro/protocol', '@dendro/engine', '@dendro/export', '@dendro/sources/decoders'],
      testImports: ['@dendro/testkit'],
      starts: ['apps/server/src/main.ts', 'packages/history/bench/made-history.ts'],
    },
    '@dendro/e2e': {
      folder: 'e2e',
      imports: ['@dendro/protocol', '@dendro/testkit'],
      testImports: [],
      starts: ['apps/server/src/main.ts'],
    },
    tools: { folder: 'tools', imports: [], testImports: [] },
  },

  modules: [
    {
      module: 'd3-hierarchy',
      only: ['apps/web/src/layout/'],
      because: 'layout gives it one root and no orphans; anywhere else it throws on real trees',
    },
    {
      module: 'node:*',
      never: ['packages/protocol/src/', 'packages/engine/src/', 'packages/export/src/', 'apps/web/src/'],
      because: 'this code runs in the browser too',
    },
  ],

  debt: [],
};
