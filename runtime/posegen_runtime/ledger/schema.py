"""The tables of `ledger.sqlite`, and the states that a row can be in."""

from enum import Enum

SCHEMA = 1
"""Kept as the file's `user_version`; a change that breaks a reader raises it."""
APPLICATION_ID = 0x506F7365
"""Tells a ledger from any other SQLite file: "Pose"."""


class State(str, Enum):
    """What became of an image."""

    PENDING = "pending"
    DONE = "done"
    REJECTED = "rejected"
    """It was made and does not show what its label says."""
    FAILED = "failed"

    @property
    def code(self) -> int:
        """How the table holds it."""
        return _CODES[self]

    @classmethod
    def of(cls, code: int) -> "State":
        """The state that the table holds as `code`."""
        return _STATES[code]


_STATES = (State.PENDING, State.DONE, State.REJECTED, State.FAILED)
_CODES = {state: code for code, state in enumerate(_STATES)}

TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
BEGIN;
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    object TEXT NOT NULL DEFAULT '',
    mask TEXT NOT NULL,
    stem TEXT NOT NULL,
    variation INTEGER NOT NULL,
    suffix TEXT NOT NULL,
    appearance TEXT,
    background TEXT,
    state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    image TEXT NOT NULL DEFAULT '',
    mask_file TEXT NOT NULL DEFAULT '',
    data BLOB,
    timings BLOB,
    finished REAL,
    UNIQUE (job, object)
);
CREATE INDEX images_by_state ON images (state, job);
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE inputs (
    option TEXT NOT NULL, name TEXT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (option, name)
) WITHOUT ROWID;
COMMIT;
"""
