-- What the rows were made from: the last pack, the hash of its bytes, and how many facts there were up to it.
CREATE TABLE applied (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  pack INTEGER NOT NULL,
  hash BLOB NOT NULL,
  fact INTEGER NOT NULL
);
INSERT INTO applied VALUES (1, 0, x'', 0);

-- Every fact once, as the bytes that the ledger has.
CREATE TABLE fact (
  n    INTEGER PRIMARY KEY, -- 1, 2, … in the order of the ledger
  body BLOB NOT NULL
);

-- What facts are about, numbered in the order in which the ledger first names it.
CREATE TABLE subject (
  n    INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL, -- 1 event, 2 lineage, 3 notice, 4 task
  id   TEXT NOT NULL,
  UNIQUE (id, kind)
);

CREATE TABLE about (
  subject INTEGER NOT NULL,
  fact    INTEGER NOT NULL,
  PRIMARY KEY (subject, fact)
) WITHOUT ROWID;

-- Events that were accepted.
CREATE TABLE event (
  n       INTEGER PRIMARY KEY, -- subject
  lineage INTEGER NOT NULL
);
CREATE INDEX event_lineage ON event (lineage);

-- The events that a notice before term tells of, by the lineage that contributes them.
CREATE TABLE contribution (
  lineage INTEGER NOT NULL,
  by      INTEGER NOT NULL,
  event   INTEGER NOT NULL,
  PRIMARY KEY (lineage, by, event)
) WITHOUT ROWID;
CREATE INDEX contribution_by ON contribution (by);

CREATE TABLE notice (
  n            INTEGER PRIMARY KEY, -- subject
  lineage      INTEGER NOT NULL,
  decided_ms   INTEGER NOT NULL,
  due_ms       INTEGER NOT NULL,
  release_ms   INTEGER NOT NULL,
  agency       TEXT NOT NULL,
  organisation TEXT NOT NULL,
  function     TEXT NOT NULL,
  kind         TEXT NOT NULL,
  rule         TEXT NOT NULL,
  child        TEXT NOT NULL,
  lane         INTEGER NOT NULL,
  acknowledge  INTEGER NOT NULL,
  links        INTEGER NOT NULL, -- of the chain
  -- What changes:
  state        INTEGER NOT NULL, -- NoticeState of the contract
  open         INTEGER NOT NULL, -- 1 until it ends
  link         INTEGER NOT NULL,
  task         INTEGER NOT NULL, -- open task, or 0
  late_ms      INTEGER NOT NULL, -- 0 where it was not late
  ended_ms     INTEGER NOT NULL,
  stop_scope   INTEGER NOT NULL, -- the stop that holds it back, or 0
  stop_target  TEXT NOT NULL,
  held_link    INTEGER NOT NULL
);
CREATE INDEX notice_organisation ON notice (organisation);
CREATE INDEX notice_child ON notice (child);
CREATE INDEX notice_decided ON notice (decided_ms);
CREATE INDEX notice_due ON notice (due_ms);
CREATE INDEX notice_open ON notice (due_ms) WHERE open = 1;
CREATE INDEX notice_open_newest ON notice (n) WHERE open = 1;
CREATE INDEX notice_late ON notice (n) WHERE late_ms > 0;
CREATE INDEX notice_held_back ON notice (stop_scope, stop_target) WHERE stop_scope > 0;

CREATE TABLE attempt (
  notice       INTEGER NOT NULL,
  attempt      INTEGER NOT NULL,
  link         INTEGER NOT NULL,
  contact      TEXT NOT NULL,
  organisation TEXT NOT NULL,
  role         TEXT NOT NULL,
  outcome      INTEGER NOT NULL,
  gave_up      INTEGER NOT NULL,
  moves_on     INTEGER NOT NULL,
  bounced      INTEGER NOT NULL,
  PRIMARY KEY (notice, attempt)
) WITHOUT ROWID;
CREATE INDEX attempt_contact ON attempt (contact, notice);

CREATE TABLE task (
  n            INTEGER PRIMARY KEY, -- subject
  notice       INTEGER NOT NULL,    -- or 0
  organisation TEXT NOT NULL,       -- owner now
  role         TEXT NOT NULL,
  due_ms       INTEGER NOT NULL,
  state        INTEGER NOT NULL,    -- 1 open, 2 claimed, 3 resolved, 4 settled
  open         INTEGER NOT NULL
);
CREATE INDEX task_open ON task (due_ms) WHERE open = 1;
