-- What the rows were made from: the last pack, the hash of its bytes, and how many facts there were up to it.
CREATE TABLE applied (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  pack INTEGER NOT NULL,
  hash BLOB NOT NULL,
  fact INTEGER NOT NULL
);
INSERT INTO applied VALUES (1, 0, x'', 0);

-- Every pack that has facts, as the bytes that the ledger has. Facts are numbered 1, 2, … in the order of the ledger.
CREATE TABLE pack (
  first INTEGER PRIMARY KEY, -- fact
  body  BLOB NOT NULL
);

-- What facts are about, numbered in the order in which the ledger first names it.
CREATE TABLE subject (
  n     INTEGER PRIMARY KEY,
  kind  INTEGER NOT NULL, -- 1 event, 2 lineage, 3 notice, 4 task
  id    TEXT NOT NULL,
  facts BLOB NOT NULL     -- about it, up to the end of the transaction that made the row: numbers, each as its distance from the one before
);
CREATE UNIQUE INDEX subject_id ON subject (id, kind);

-- The facts about a subject that came later, by transaction.
CREATE TABLE about (
  subject INTEGER NOT NULL,
  first   INTEGER NOT NULL, -- fact
  facts   BLOB NOT NULL,
  PRIMARY KEY (subject, first)
) WITHOUT ROWID;

-- Texts that many rows share: organisations, contacts, children, kinds, rules. 0 stands for the empty one.
CREATE TABLE name (
  n    INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);

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
  lineage      INTEGER NOT NULL,    -- subject
  decided_ms   INTEGER NOT NULL,
  due_ms       INTEGER NOT NULL,
  release_ms   INTEGER NOT NULL,
  agency       INTEGER NOT NULL,    -- name, as are the next five
  organisation INTEGER NOT NULL,
  function     INTEGER NOT NULL,
  kind         INTEGER NOT NULL,
  rule         INTEGER NOT NULL,
  child        INTEGER NOT NULL,
  lane         INTEGER NOT NULL,
  acknowledge  INTEGER NOT NULL,
  links        INTEGER NOT NULL, -- of the chain
  -- What changes:
  state        INTEGER NOT NULL, -- NoticeState of the contract
  open         INTEGER NOT NULL, -- 1 until it ends
  link         INTEGER NOT NULL,
  ended_ms     INTEGER NOT NULL,
  attempts     BLOB NOT NULL,    -- each in six numbers: link, contact, organisation, role, outcome, marks
  sent         INTEGER NOT NULL, -- how many attempts there are, and the last one's:
  sent_to      INTEGER NOT NULL, -- contact
  sent_at      INTEGER NOT NULL, -- organisation
  sent_as      INTEGER NOT NULL, -- role
  -- What few notices have:
  task         INTEGER NOT NULL DEFAULT 0, -- open task
  late_ms      INTEGER NOT NULL DEFAULT 0,
  stop_scope   INTEGER NOT NULL DEFAULT 0, -- the stop that holds it back
  stop_target  INTEGER NOT NULL DEFAULT 0, -- name
  held_link    INTEGER NOT NULL DEFAULT 0,
  misdirection INTEGER NOT NULL DEFAULT 0, -- the task that asks about who has it
  telephoned   INTEGER NOT NULL DEFAULT 0,
  opened       INTEGER NOT NULL DEFAULT 0  -- by somebody with a code
);
CREATE INDEX notice_organisation ON notice (organisation);
CREATE INDEX notice_child ON notice (child);
CREATE INDEX notice_decided ON notice (decided_ms);
CREATE INDEX notice_due ON notice (due_ms);
CREATE INDEX notice_open ON notice (due_ms) WHERE open = 1;
CREATE INDEX notice_open_newest ON notice (n) WHERE open = 1;
CREATE INDEX notice_late ON notice (n) WHERE late_ms > 0;
CREATE INDEX notice_held_back ON notice (stop_scope, stop_target) WHERE stop_scope > 0;
CREATE INDEX notice_misdirection ON notice (misdirection) WHERE misdirection > 0;

-- Whom a notice was ever sent to.
CREATE TABLE contact (
  contact INTEGER NOT NULL, -- name
  notice  INTEGER NOT NULL,
  PRIMARY KEY (contact, notice)
) WITHOUT ROWID;

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
