// The schema, one step after the other. A step is never changed once it was released: what is to be
// different gets the next number. docs/adr/0013-the-history.md says what is kept where.

export const MIGRATIONS: readonly string[] = [
  // 1
  `
  -- One stretch of event time: a boot of the host, or a feed with a time base of its own.
  CREATE TABLE era (
    id INTEGER PRIMARY KEY,
    base_ns TEXT NOT NULL,      -- epoch nanoseconds of EventNs 0
    boot_id TEXT,               -- null: of no boot, as with a feed from elsewhere
    boot_ns TEXT,               -- boot clock at EventNs 0
    began INTEGER,              -- EventNs of the first instant that can be asked about
    newest INTEGER              -- EventNs of the last one
  ) STRICT;
  -- What the wall clock said, when it was looked at.
  CREATE TABLE clock (
    id INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    at INTEGER NOT NULL,
    wall_ns TEXT NOT NULL
  ) STRICT;
  -- Batches as they came, some to the row.
  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    at0 INTEGER NOT NULL,       -- of the recorder's clock
    at1 INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    facts INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  -- Lives that have ended, with all their facts.
  CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    class INTEGER NOT NULL,
    t0 INTEGER NOT NULL,        -- none of them matters before
    t1 INTEGER NOT NULL,        -- or after
    id0 INTEGER NOT NULL,
    id1 INTEGER NOT NULL,
    lives INTEGER NOT NULL,
    facts INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE block_data (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
  -- Everything that is in no block, as of a row of the log.
  CREATE TABLE keyframe (
    id INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    log INTEGER NOT NULL,
    block INTEGER NOT NULL,     -- the last block that was there
    at INTEGER NOT NULL,
    newest_id INTEGER NOT NULL,
    lives INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    t0 INTEGER NOT NULL,
    t1 INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    why TEXT NOT NULL
  ) STRICT;
  -- By epoch time; seconds are rolled up as they come.
  CREATE TABLE count_second (t INTEGER PRIMARY KEY, births INTEGER NOT NULL, execs INTEGER NOT NULL, exits INTEGER NOT NULL) STRICT;
  CREATE TABLE count_minute (t INTEGER PRIMARY KEY, births INTEGER NOT NULL, execs INTEGER NOT NULL, exits INTEGER NOT NULL) STRICT;
  CREATE TABLE count_hour (t INTEGER PRIMARY KEY, births INTEGER NOT NULL, execs INTEGER NOT NULL, exits INTEGER NOT NULL) STRICT;
  -- One row.
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    newest_id INTEGER NOT NULL,  -- greatest TaskId that was ever given
    is_open INTEGER NOT NULL     -- 1 while somebody records: left so by one who was killed
  ) STRICT;
  INSERT INTO state VALUES (1, 0, 0);
  `,
];
