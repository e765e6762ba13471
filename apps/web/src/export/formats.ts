// As which files the tree can be had.

export const TREE_FORMATS = {
  json: { title: 'JSON', for: 'all of it, for programs', ending: 'json', type: 'application/json' },
  ndjson: { title: 'NDJSON', for: 'a task on each line', ending: 'ndjson', type: 'application/x-ndjson' },
  csv: { title: 'CSV', for: 'for spreadsheets', ending: 'csv', type: 'text/csv;charset=utf-8' },
  text: { title: 'Text', for: 'a tree of lines', ending: 'txt', type: 'text/plain;charset=utf-8' },
  dot: { title: 'DOT', for: 'for Graphviz', ending: 'dot', type: 'text/vnd.graphviz' },
  svg: { title: 'SVG', for: 'a picture', ending: 'svg', type: 'image/svg+xml' },
} as const;

export type TreeFormatId = keyof typeof TREE_FORMATS;
export const TREE_FORMAT_IDS = Object.keys(TREE_FORMATS) as readonly TreeFormatId[];
