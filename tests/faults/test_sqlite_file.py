"""F18-F22: what happens to the file, the lock and the disk of a SQLite store."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from bot.domain.audit import CommandState
from bot.domain.errors import StoreBusyError, StoreError
from bot.store.sqlite import SqliteStore
from bot.store.sqlite.schema import MIGRATION_NAMES
from tests.fakes.store_engines import ManualClock, SqliteEngine
from tests.fakes.store_samples import a_run, command, poll, post, send, snapshot

OTHER_PROCESS = """
import sys
from pathlib import Path
from bot.domain.errors import StoreError
from tests.fakes.store_engines import SqliteEngine
from tests.fakes.store_samples import claimed_message, command, post

engine = SqliteEngine(Path(sys.argv[1]))
try:
    store = engine.start()
except StoreError as error:
    print("refused:", error.message, flush=True)
    sys.exit(3)
if sys.argv[2] == "work":
    store.record_command(command())
    store.enqueue([post("a")])
    claimed_message(store)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path)
    yield engine
    engine.end()


def other_process(folder: Path, what: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", OTHER_PROCESS, str(folder), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def refusal(store: SqliteStore) -> str:
    with pytest.raises(StoreError) as caught:
        store.open()
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_second_process_is_refused_and_the_first_goes_on(engine: SqliteEngine) -> None:
    store = engine.start()
    with other_process(engine.path.parent, "look") as other:
        answer, _ = other.communicate(timeout=30)
    assert other.returncode == 3
    assert answer.startswith("refused: Another worker is using this database")
    assert store.is_writable()


def test_a_second_store_of_the_same_process_is_refused(engine: SqliteEngine) -> None:
    engine.start()
    assert "Another worker" in refusal(engine.build())


def test_a_killed_process_leaves_nothing_locked_and_all_told(engine: SqliteEngine) -> None:
    with other_process(engine.path.parent, "work") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=30)
    store = engine.start()
    (interrupted,) = store.interrupt_commands()
    assert interrupted.state is CommandState.RECEIVED
    claim = store.claim_message(60)
    assert claim is not None
    assert claim.is_ambiguous


def test_a_locked_database_is_busy_and_then_works(engine: SqliteEngine) -> None:
    store = engine.build(wait_s=0.05)
    store.open()
    with engine.blocked():
        writes: list[Callable[[], object]] = [
            lambda: store.record_command(command()),
            lambda: store.is_first_time("k"),
            lambda: store.enqueue([post("a")]),
        ]
        for write in writes:
            with pytest.raises(StoreBusyError) as caught:
                write()
            assert "nothing was written" in caught.value.message
        assert not store.is_writable()
        assert store.commands(9) == (), "reading needs no lock"
    assert store.is_writable()
    assert store.record_command(command()) == 1
    assert store.is_first_time("k")


def test_acks_wait_shorter_than_other_writes(engine: SqliteEngine) -> None:
    store = engine.build(wait_s=5)
    store.open()
    waits: list[int] = []

    def trace(sql: str, _parameters: object) -> None:
        if "busy_timeout" in sql:
            waits.append(int(sql.rpartition("=")[2]))

    with store._connections.outside_transaction() as db:
        db._tracer = trace
    store.is_first_time("k")
    store.record_command(command())
    store.enqueue([post("a")])
    assert waits == [1000, 1000, 5000]


def test_a_poll_against_a_locked_database_stores_all_or_nothing(engine: SqliteEngine) -> None:
    store = engine.build(wait_s=0.05)
    store.open()
    with engine.blocked(), pytest.raises(StoreBusyError):
        poll(store, [snapshot(a_run())], messages=(post("a"),))
    poll(store, [snapshot(a_run())], messages=(post("a"),))
    assert store.outbox_depth() == 1


def test_a_full_disk_is_said_and_got_over(engine: SqliteEngine) -> None:
    store = engine.start()
    with store._connections.outside_transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk that holds the database is full"):
        store.enqueue([post(f"{n}", text="x" * 500) for n in range(500)])
    assert store.outbox_depth() == 0, "all of it is undone"
    with store._connections.outside_transaction() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    store.enqueue([post(f"{n}", text="x" * 500) for n in range(500)])
    assert store.outbox_depth() == 500


def test_a_read_only_database_is_said_and_got_over(engine: SqliteEngine) -> None:
    store = engine.start()
    with store._connections.outside_transaction() as db:
        db.execute("PRAGMA query_only = 1")
    assert not store.is_writable()
    with pytest.raises(StoreError, match="cannot be written"):
        store.record_command(command())
    assert store.commands(9) == ()
    with store._connections.outside_transaction() as db:
        db.execute("PRAGMA query_only = 0")
    assert store.is_writable()


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 99, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_damaged_file_is_refused_untouched(engine: SqliteEngine, content: bytes) -> None:
    engine.path.write_bytes(content)
    message = refusal(engine.build())
    assert "damaged" in message
    assert str(engine.path) in message
    assert contents(engine.path.parent) == {"bot.db": content}


def test_damage_within_the_file_is_refused_untouched(engine: SqliteEngine) -> None:
    store = engine.start()
    store.enqueue([post(f"{n}", text="x" * 500) for n in range(200)])
    engine.stop(store)
    content = bytearray(engine.path.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    engine.path.write_bytes(content)
    assert "damaged" in refusal(engine.build())
    assert contents(engine.path.parent) == {"bot.db": bytes(content)}


def test_a_newer_schema_is_refused_untouched(engine: SqliteEngine) -> None:
    engine.stop(engine.start())
    with closing(sqlite3.connect(engine.path)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('bot', 'of_next_year', '2027-01-01')"
        )
    before = contents(engine.path.parent)
    assert "newer version" in refusal(engine.build())
    assert contents(engine.path.parent) == before


def test_a_database_of_another_program_is_refused_untouched(engine: SqliteEngine) -> None:
    with closing(sqlite3.connect(engine.path)) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = contents(engine.path.parent)
    assert "another program" in refusal(engine.build())
    assert contents(engine.path.parent) == before


def test_after_a_refusal_the_same_store_can_be_opened(engine: SqliteEngine) -> None:
    engine.path.write_bytes(b"not a database at all" * 99)
    store = engine.build()
    refusal(store)
    engine.path.unlink()
    store.open()
    assert store.is_writable()


def test_an_empty_file_is_a_new_database(engine: SqliteEngine) -> None:
    engine.path.touch()
    assert engine.start().is_writable()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "missing")
    message = refusal(engine.build())
    assert message == f"The folder of the database does not exist: {tmp_path / 'missing'}"


def test_a_folder_in_the_place_of_the_file_is_named(engine: SqliteEngine) -> None:
    engine.path.mkdir()
    assert "this is a folder" in refusal(engine.build())


def test_what_was_committed_is_there_after_a_power_cut(tmp_path: Path) -> None:
    """The files as they lie on the disk while the first process still runs."""
    (tmp_path / "a").mkdir()
    engine = SqliteEngine(tmp_path / "a")
    store = engine.start()
    poll(store, [snapshot(a_run())], messages=(post("a"),))
    send(store, "1.1")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    engine.end()
    after = SqliteEngine(tmp_path / "b")
    assert after.start().message_ts("a") == ("C1", "1.1")
    after.end()


def test_a_journal_left_by_a_crash_is_rolled_back(tmp_path: Path) -> None:
    """A crash while the file was not yet in write-ahead mode."""
    (tmp_path / "a").mkdir()
    engine = SqliteEngine(tmp_path / "a")
    engine.stop(engine.start())
    with closing(sqlite3.connect(engine.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('bot', 'never_committed', '')"
        )
        connection.executemany(
            "INSERT INTO seen (key, received) VALUES (?, '')", [[f"{n}" * 99] for n in range(999)]
        )
        shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "bot.db-journal").stat().st_size > 0
    after = SqliteEngine(tmp_path / "b")
    assert after.start().is_first_time("0" * 99)
    after.end()


def test_connections_of_ended_threads_are_closed(engine: SqliteEngine) -> None:
    store = engine.start()
    for n in range(5):
        thread = Thread(target=store.is_first_time, args=[f"{n}"])
        thread.start()
        thread.join()
    assert len(store._connections._all) <= 2


def test_settings_of_connections(engine: SqliteEngine) -> None:
    store = engine.start()
    with store._connections.read() as db:
        values = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        tables = db.execute("PRAGMA table_list").fetchall()
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    own = [row for row in tables if not row["name"].startswith(("sqlite_", "_sqlite"))]
    assert own
    assert all(row["strict"] for row in own)


def test_a_message_that_cannot_be_read_does_not_block_its_channel(engine: SqliteEngine) -> None:
    store = engine.start()
    store.enqueue([post("a"), post("b")])
    with store._connections.write() as db:
        db.execute("UPDATE outbox SET kind = 'Telegram' WHERE key = 'a'")
    assert send(store) == "b"
    assert store.outbox_depth() == 0


def test_an_error_of_the_database_is_undone_and_safe_to_show(engine: SqliteEngine) -> None:
    store = engine.start()
    with store._connections.write() as db:
        db.execute("DROP TABLE commands")
    with pytest.raises(StoreError) as caught:
        store.record_command(command("secret text"))
    assert "secret" not in caught.value.message + caught.value.detail
    assert store.is_writable()


def test_migrations_are_known_by_name(engine: SqliteEngine) -> None:
    store = engine.start()
    with store._connections.read() as db:
        names = {row[0] for row in db.execute("SELECT name FROM _sqlite_migrations")}
    assert names == MIGRATION_NAMES


def test_clocks_apart() -> None:
    """The suite's clock would hide a mix-up of its two readings if they were alike."""
    clock = ManualClock()
    assert clock.now().timestamp() > 1000 * clock.monotonic()
