"""The tables, as migrations.

Times of day are text in UTC with microseconds (`time_text`), which sorts like the time.
Columns ending in `_at` are seconds of the process's own monotonic clock: they mean nothing
to a later process, and `takeover` sets them anew.
"""

from sqlite_utils import Database, Migrations

MIGRATIONS = Migrations("bot")


def create_tables(db: Database) -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            db.execute(statement)


_STEPS = (create_tables,)
MIGRATION_NAMES = frozenset(step.__name__ for step in _STEPS)
for _step in _STEPS:
    MIGRATIONS()(_step)


_TABLES = """
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
    key TEXT PRIMARY KEY,
    received TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    opening INTEGER NOT NULL,
    verb TEXT NOT NULL,
    user_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    origin TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    received TEXT NOT NULL,
    target TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    rule TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX commands_of_user ON commands (user_id, received);
CREATE INDEX commands_of_target ON commands (target) WHERE target != '';
CREATE INDEX commands_not_over ON commands (opening) WHERE state IN ('received', 'accepted');

CREATE TABLE actions (
    key TEXT PRIMARY KEY,
    command_id INTEGER NOT NULL REFERENCES commands (id) ON DELETE CASCADE,
    ends_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX actions_of_command ON actions (command_id);

CREATE TABLE listings (
    channel TEXT NOT NULL,
    user_id TEXT NOT NULL,
    refs TEXT NOT NULL,
    saved TEXT NOT NULL,
    PRIMARY KEY (channel, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
    channel TEXT NOT NULL,
    ts TEXT NOT NULL,
    ref TEXT NOT NULL,
    saved TEXT NOT NULL,
    PRIMARY KEY (channel, ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE watches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    instance_glob TEXT NOT NULL,
    key_glob TEXT NOT NULL,
    filters TEXT NOT NULL,
    filters_key TEXT NOT NULL,
    is_from_settings INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    since TEXT NOT NULL,
    preset TEXT NOT NULL,
    thread TEXT NOT NULL,
    mention TEXT,
    suspended_because TEXT,
    quiet_since TEXT,
    tells_overdue INTEGER NOT NULL,
    is_introduced INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, instance_glob, key_glob, filters_key, is_from_settings)
) STRICT;

CREATE TABLE mutes (
    channel TEXT NOT NULL,
    instance_glob TEXT NOT NULL,
    key_glob TEXT NOT NULL,
    branch_key TEXT NOT NULL,
    until TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (channel, instance_glob, key_glob, branch_key)
) STRICT;

CREATE TABLE blindness (
    instance TEXT NOT NULL,
    source TEXT NOT NULL,
    since TEXT NOT NULL,
    why TEXT NOT NULL,
    channels TEXT NOT NULL,
    PRIMARY KEY (instance, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    source TEXT NOT NULL,
    is_wanted INTEGER NOT NULL DEFAULT 1,
    is_hurried INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    claim_ends_at REAL,
    due_at REAL NOT NULL,
    cursor TEXT NOT NULL DEFAULT '',
    failures INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    is_refused INTEGER NOT NULL DEFAULT 0,
    wanted_at REAL NOT NULL,
    good_poll TEXT,
    good_poll_at REAL,
    UNIQUE (instance, source)
) STRICT;

CREATE TABLE runs (
    instance TEXT NOT NULL,
    run_id TEXT NOT NULL,
    pipeline_instance TEXT NOT NULL,
    pipeline_key TEXT NOT NULL,
    aliases TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    raw_status TEXT NOT NULL,
    is_over INTEGER NOT NULL,
    branch TEXT,
    commit_id TEXT,
    author TEXT,
    environment TEXT,
    created TEXT,
    started TEXT,
    finished TEXT,
    url TEXT,
    total INTEGER,
    passed INTEGER,
    failed INTEGER,
    skipped INTEGER,
    progress INTEGER,
    vendor_attempt INTEGER NOT NULL,
    failed_step TEXT,
    is_private INTEGER NOT NULL,
    parameters TEXT NOT NULL,
    failing TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    seen TEXT NOT NULL,
    changed TEXT NOT NULL,
    is_overdue INTEGER NOT NULL,
    end_status TEXT,
    end_finished TEXT,
    listed TEXT NOT NULL,
    last_read TEXT NOT NULL,
    PRIMARY KEY (instance, run_id)
) STRICT;
CREATE INDEX runs_listed ON runs (listed, pipeline_instance, pipeline_key, aliases);
CREATE INDEX runs_history
    ON runs (pipeline_instance, pipeline_key, branch, listed) WHERE is_over = 1;
CREATE INDEX runs_judged ON runs (pipeline_instance, pipeline_key, listed)
    WHERE status IN ('passed', 'failed');
CREATE INDEX runs_failing ON runs (changed) WHERE status IN ('failed', 'error');

CREATE TABLE decisions (
    instance TEXT NOT NULL,
    run_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    watch_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    treatment TEXT NOT NULL,
    decided TEXT NOT NULL,
    message_key TEXT,
    mute TEXT,
    PRIMARY KEY (instance, run_id, channel, attempt),
    FOREIGN KEY (instance, run_id) REFERENCES runs (instance, run_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE source_runs (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    instance TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (source_id, instance, run_id),
    FOREIGN KEY (instance, run_id) REFERENCES runs (instance, run_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX source_runs_of_run ON source_runs (instance, run_id);

CREATE TABLE followed (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL,
    since TEXT NOT NULL,
    created TEXT,
    until_at REAL NOT NULL,
    PRIMARY KEY (source_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE episodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    pipeline_instance TEXT NOT NULL,
    pipeline_key TEXT NOT NULL,
    branch_key TEXT NOT NULL,
    card_key TEXT NOT NULL,
    opened TEXT NOT NULL,
    fixed TEXT,
    is_told INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (card_key, channel, pipeline_instance, pipeline_key, branch_key)
) STRICT;
CREATE INDEX episodes_open ON episodes (pipeline_instance, pipeline_key) WHERE fixed IS NULL;
CREATE INDEX episodes_held_back ON episodes (pipeline_instance)
    WHERE fixed IS NULL AND is_told = 0;

CREATE TABLE lanes (
    channel TEXT PRIMARY KEY,
    paused_until_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL REFERENCES lanes (channel),
    key TEXT NOT NULL UNIQUE,
    form TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    newer_kind TEXT,
    newer_body TEXT,
    root_key TEXT,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'sending', 'sent', 'folded', 'dead')),
    is_news INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    claim_ends_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    is_ambiguous INTEGER NOT NULL DEFAULT 0,
    looks INTEGER NOT NULL DEFAULT 0,
    first_try REAL,
    ts TEXT,
    sent_at REAL,
    rendering TEXT NOT NULL DEFAULT '',
    told INTEGER NOT NULL DEFAULT 0,
    folded_into INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    ended TEXT
) STRICT;
CREATE INDEX outbox_to_send ON outbox (channel, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_under_way ON outbox (channel) WHERE state = 'sending';
CREATE INDEX outbox_with_root ON outbox (root_key)
    WHERE state = 'waiting' AND root_key IS NOT NULL;
CREATE INDEX outbox_news ON outbox (channel, id)
    WHERE state = 'waiting' AND is_news = 1 AND is_ambiguous = 0;
CREATE INDEX outbox_edits ON outbox (root_key) WHERE state = 'waiting' AND form = 'edit';
CREATE INDEX outbox_shown ON outbox (channel, sent_at)
    WHERE state = 'sent' AND is_news = 1 AND form <> 'reply';
CREATE INDEX outbox_folded ON outbox (folded_into) WHERE state = 'folded';

CREATE TABLE digests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    opened TEXT NOT NULL,
    folded_at REAL NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1,
    is_stale INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX digests_stale ON digests (id) WHERE is_stale = 1;
CREATE UNIQUE INDEX digests_open ON digests (channel) WHERE is_open = 1;

CREATE TABLE digest_items (
    message_id INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    digest_id INTEGER NOT NULL REFERENCES digests (id) ON DELETE CASCADE,
    thread TEXT NOT NULL,
    instance TEXT NOT NULL,
    run_id TEXT NOT NULL,
    pipeline_instance TEXT NOT NULL,
    pipeline_key TEXT NOT NULL,
    status TEXT NOT NULL,
    branch TEXT,
    environment TEXT,
    failed_step TEXT,
    finished TEXT,
    url TEXT,
    mention TEXT,
    failures INTEGER NOT NULL,
    is_card INTEGER NOT NULL,
    fixed_by TEXT,
    has_card INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX digest_items_of_digest ON digest_items (digest_id, message_id);
CREATE INDEX digest_items_of_thread ON digest_items (thread);
"""
