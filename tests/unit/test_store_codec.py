"""What goes into a column comes out the same."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.errors import StoreError
from bot.domain.outbox import Body
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import AlertCard, AlertReply, ChannelNotice, Control, HistoryMark
from bot.domain.runs import Counts, Run, RunRef
from bot.domain.statuses import Status
from bot.domain.transitions import Snapshot
from bot.domain.watches import Filter
from bot.store import codec
from bot.store.sqlite import runs
from bot.store.sqlite.run_columns import columns
from bot.store.sqlite.schema import create_tables

EVERYTHING = st.sampled_from("a\0\u202e\ud800\udbff\udc00\udfff\uffff") | st.characters()
TEXTS = st.text(max_size=12) | st.sampled_from(["\0", "a\0b", "\u202egnp", "\u200d", "<!here>"])
ODD_TEXTS = st.text(EVERYTHING, max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
MAYBE_TIMES = st.none() | TIMES
NUMBERS = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
REFS = st.builds(
    RunRef,
    st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,9}\Z"),
    st.from_regex(r"\A[A-Za-z0-9_~-]{1,9}\Z"),
)
PIPELINES = st.builds(PipelineRef, TEXTS, TEXTS)
RUNS = st.builds(
    Run,
    ref=REFS,
    pipeline=PIPELINES,
    status=st.sampled_from(Status),
    raw_status=TEXTS,
    title=TEXTS,
    branch=st.none() | TEXTS,
    commit=st.none() | TEXTS,
    author=st.none() | TEXTS,
    environment=st.none() | TEXTS,
    created=MAYBE_TIMES,
    started=MAYBE_TIMES,
    finished=MAYBE_TIMES,
    url=st.none() | TEXTS,
    counts=st.builds(Counts, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    progress=NUMBERS,
    attempt=st.integers(0, 2**40),
    aliases=st.lists(TEXTS, max_size=3).map(tuple),
    failed_step=st.none() | TEXTS,
    is_private=st.booleans(),
    parameters=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    failing=st.lists(TEXTS, max_size=3).map(tuple),
)
CARDS = st.builds(
    AlertCard,
    pipeline=PIPELINES,
    branch=st.none() | TEXTS,
    latest=RUNS,
    reason=TEXTS,
    failures=st.integers(0, 2**40),
    first_bad=st.none() | RUNS,
    last_green=st.none() | RUNS,
    strip=st.lists(st.builds(HistoryMark, st.sampled_from(Status), REFS), max_size=3).map(tuple),
    fixed_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=9999)),
    is_fixed=st.booleans(),
    mention=st.none() | TEXTS,
    controls=st.lists(st.sampled_from(Control), max_size=2).map(tuple),
)
NOTICES = st.builds(
    ChannelNotice, TEXTS, st.sampled_from(["info", "done", "warning", "problem"]), MAYBE_TIMES
)
BODIES = CARDS | st.builds(AlertReply, RUNS, TEXTS, st.none() | TEXTS) | NOTICES
FILTERS = st.lists(
    st.builds(
        Filter,
        st.sampled_from(["branch", "status", "by", "limit"]),
        st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
EPISODES = st.builds(
    Episode,
    key=st.builds(EpisodeKey, TEXTS, PIPELINES, st.none() | TEXTS),
    card_key=TEXTS,
    opened_at=TIMES,
    first_bad=RUNS,
    latest=RUNS,
    failed=st.lists(st.tuples(REFS, st.integers(0, 99)), max_size=3).map(tuple),
    last_green=st.none() | RUNS,
    fixed_at=MAYBE_TIMES,
)


@settings(max_examples=50)
@given(BODIES)
def test_bodies_round_trip(body: Body) -> None:
    assert codec.load_body(*codec.dump_body(body)) == body


@given(FILTERS)
def test_filters_round_trip(filters: tuple[Filter, ...]) -> None:
    assert codec.FILTERS.load(codec.FILTERS.dump(filters)) == filters


@settings(max_examples=50)
@given(EPISODES)
def test_episodes_round_trip(episode: Episode) -> None:
    assert codec.EPISODE.load(codec.EPISODE.dump(episode)) == episode


@given(TIMES, TIMES)
def test_times_round_trip_and_their_text_sorts_like_they_do(one: datetime, two: datetime) -> None:
    assert codec.read_time(codec.time_text(one)) == one
    assert (codec.time_text(one) < codec.time_text(two)) == (one < two)


@contextmanager
def tables() -> Iterator[Database]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        db = Database(connection, execute_plugins=False)
        create_tables(db)
        yield db


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Snapshot, RUNS, st.integers(1, 99), TIMES, TIMES), max_size=4))
def test_runs_round_trip_through_their_columns(snapshots: list[Snapshot]) -> None:
    newest = {one.run.ref: one for one in snapshots}
    with tables() as db:
        now = datetime(2026, 3, 1, tzinfo=UTC)
        runs.save(db, [columns(one, now) for one in snapshots])
        assert runs.snapshots(db, newest) == newest


@given(ODD_TEXTS)
def test_any_text_becomes_storable_and_sound_text_stays(text: str) -> None:
    kept = codec.storable(text)
    kept.encode()
    assert codec.storable(kept) == kept
    if not any("\ud800" <= one <= "\udfff" for one in text):
        assert kept == text


@given(ODD_TEXTS)
def test_bodies_with_lone_surrogates_are_stored_as_storable(text: str) -> None:
    notice = ChannelNotice(text)
    assert codec.load_body(*codec.dump_body(notice)) == ChannelNotice(codec.storable(text))


def test_numbers_beyond_64_bits_are_cut() -> None:
    assert codec.storable_number(10**30) == 2**63 - 1
    assert codec.storable_number(-(10**30)) == -(2**63) + 1
    assert codec.storable_number(None) is None


def test_every_body_has_a_column() -> None:
    for kind in get_args(Body):
        assert kind.__name__ in codec._BODIES


@pytest.mark.parametrize("text", ["", "{", "[]", '{"text": 1}', '{"nothing": "known"}'])
def test_what_is_no_such_value_is_an_error_that_shows_no_content(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        codec.load_body("ChannelNotice", text)
    assert "known" not in caught.value.message + caught.value.detail


def test_an_unknown_kind_of_body_is_an_error() -> None:
    with pytest.raises(StoreError):
        codec.load_body("Telegram", "{}")
