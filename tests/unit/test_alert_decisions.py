"""The pure decision: F13 to F16 and F21 of the faults, and one run, one message."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decisions import Treatment
from bot.domain.mutes import Mute
from bot.domain.outbox import Form, NewMessage
from bot.domain.pipelines import Pattern
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.replies import AlertCard
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.watches import Filter, Preset, ThreadMode, Watch
from bot.services.alerts import decide
from tests.fakes.store_samples import NOON, SHOP, a_run, a_watch

PASSED, FAILED, RUNNING = Status.PASSED, Status.FAILED, Status.RUNNING


class Teller:
    """Feeds polls to the decision and keeps what a store would keep."""

    def __init__(self, *watches: Watch, runs_reopen: bool = False, mutes: Any = ()) -> None:
        since = NOON - timedelta(hours=1)
        self.watches = tuple(watches) or (replace(a_watch(), since=since),)
        self.spec = cast(
            "ProviderSpec", SimpleNamespace(runs_reopen=runs_reopen, capabilities=frozenset())
        )
        self.snapshots: dict[Any, Any] = {}
        self.episodes: dict[Any, Any] = {}
        self.messages: dict[str, NewMessage] = {}
        self.mutes = {(m.channel, m.pattern, m.branch): m for m in mutes}
        self.last = PollChanges()

    def polls(self, *runs: Run, now: datetime = NOON + timedelta(hours=1)) -> list[NewMessage]:
        """The messages that are new by this poll, edits left out."""
        over = sorted(
            (s.run for s in self.snapshots.values() if s.run.is_over),
            key=lambda r: r.created,
            reverse=True,
        )
        view = PollView(
            dict(self.snapshots),
            self.watches,
            dict(self.episodes),
            lambda run: tuple(
                r for r in over if (r.pipeline, r.branch) == (run.pipeline, run.branch)
            )[:20],
            mutes=tuple(self.mutes.values()),
        )
        self.last = decide(view, runs, self.spec, now)
        self.snapshots |= {one.run.ref: one for one in self.last.snapshots}
        self.episodes |= {one.key: one for one in self.last.episodes}
        self.mutes |= {(m.channel, m.pattern, m.branch): m for m in self.last.mutes}
        fresh = [m for m in self.last.messages if m.key not in self.messages]
        self.messages |= {m.key: m for m in fresh if m.form is not Form.EDIT}
        return [m for m in fresh if m.form is not Form.EDIT]

    @property
    def treatments(self) -> list[Treatment]:
        return [one.treatment for one in self.last.decisions]


def told(messages: Iterable[NewMessage]) -> list[str]:
    return [m.key.split()[0] for m in messages]


def test_f13_everything_that_failed_during_an_outage_appears() -> None:
    teller = Teller()
    assert told(teller.polls(*(a_run(f"r{n}", FAILED, minute=n) for n in range(5)))) == [
        "card",
        *["reply"] * 4,
    ]


def test_f14_a_run_that_started_and_failed_between_two_polls() -> None:
    teller = Teller()
    teller.polls(a_run("r1", PASSED))
    assert told(teller.polls(a_run("r2", FAILED, minute=1))) == ["card"]


def test_f15_old_failures_are_not_posted() -> None:
    teller = Teller(replace(a_watch(), since=NOON + timedelta(days=1)))
    assert teller.polls(*(a_run(f"r{n}", minute=n) for n in range(500))) == []
    assert set(teller.treatments) == {Treatment.OLD}


def test_f16_the_same_and_older_pages_tell_nothing_new() -> None:
    teller = Teller()
    running, failed = a_run("r1", RUNNING), a_run("r1", FAILED)
    teller.polls(running)
    assert told(teller.polls(failed)) == ["card"]
    for stale in (failed, running, failed):
        assert teller.polls(stale) == []


def test_f16_a_rerun_under_the_same_id() -> None:
    teller = Teller(runs_reopen=True)
    assert told(teller.polls(a_run("r1", FAILED))) == ["card"]
    assert teller.polls(a_run("r1", RUNNING)) == []
    again = replace(a_run("r1", FAILED), finished=NOON + timedelta(minutes=9))
    assert told(teller.polls(again)) == ["reply"]
    teller.polls(a_run("r1", RUNNING))
    fixed = replace(a_run("r1", PASSED), finished=NOON + timedelta(minutes=19))
    assert told(teller.polls(fixed)) == ["reply"]
    (episode,) = teller.episodes.values()
    assert episode.fixed_at == fixed.finished
    assert len(episode.failed) == 2


def test_f16_a_failure_that_shows_after_a_newer_pass_is_told_by_itself() -> None:
    teller = Teller()
    teller.polls(a_run("r2", PASSED, minute=5))
    assert told(teller.polls(a_run("r1", FAILED, minute=1))) == ["run"]
    assert teller.episodes == {}


def test_f21_a_clock_that_jumps_tells_nothing_new() -> None:
    teller = Teller()
    failed = a_run("r1", FAILED)
    teller.polls(failed)
    for hours in (-1, 1, 2):
        assert teller.polls(failed, now=NOON + timedelta(hours=hours)) == []


def test_the_newest_failure_of_a_pipeline_in_one_poll_is_in_the_strip() -> None:
    teller = Teller()
    teller.polls(a_run("r1", PASSED), a_run("r2", FAILED, minute=1))
    card = next(m.body for m in teller.messages.values() if m.form is Form.POST)
    assert [mark.status for mark in card.strip] == [PASSED, FAILED]  # type: ignore[union-attr]
    assert card.last_green.ref.run_id == "r1"  # type: ignore[union-attr]


def test_several_watches_of_a_channel_post_once() -> None:
    since = NOON - timedelta(hours=1)
    watches = [replace(a_watch(), since=since, preset=p, watch_id=n) for n, p in enumerate(Preset)]
    teller = Teller(*watches)
    assert told(teller.polls(a_run("r1", FAILED))) == ["card"]
    assert told(teller.polls(a_run("r2", PASSED, minute=1))) == ["run"]
    assert told(teller.polls(a_run("r3", PASSED, minute=2))) == ["run"]


def test_a_watch_for_failures_only_hears_of_the_fix() -> None:
    wish = Filter("status", ("failed", "error"))
    teller = Teller(replace(a_watch(), since=NOON - timedelta(hours=1), filters=(wish,)))
    teller.polls(a_run("r1", FAILED))
    assert told(teller.polls(a_run("r2", PASSED, minute=1))) == ["reply"]


def test_a_mute_learns_what_is_muted_and_wakes_for_another() -> None:
    mute = Mute("C1", Pattern("wercker", "*"), NOON + timedelta(days=1), "U1")
    teller = Teller(mutes=[mute])
    runs = [
        replace(a_run(f"r{n}", FAILED, minute=n), failed_step=step)
        for n, step in enumerate(("test", "test", None, "lint", "lint"))
    ]
    assert [told(teller.polls(run)) for run in runs] == [[], [], [], ["card"], ["reply"]]


def test_a_mute_of_another_branch_or_one_that_is_over_keeps_nothing_quiet() -> None:
    pattern = Pattern("wercker", "*")
    mutes = [
        Mute("C1", pattern, NOON + timedelta(days=1), "U1", branch="other"),
        Mute("C1", pattern, NOON, "U1"),
        Mute("C2", pattern, NOON + timedelta(days=1), "U1"),
    ]
    assert told(Teller(mutes=mutes).polls(a_run("r1", FAILED))) == ["card"]


def test_a_run_that_fails_again_under_its_id_is_shown_as_it_is_now() -> None:
    teller = Teller(runs_reopen=True)
    teller.polls(a_run("r1", FAILED))
    teller.polls(a_run("r1", RUNNING))
    again = replace(a_run("r1", FAILED), finished=NOON + timedelta(minutes=9), failed_step="lint")
    assert told(teller.polls(again)) == ["reply"]
    (episode,) = teller.episodes.values()
    assert episode.latest == again


def test_the_louder_of_two_watches_in_a_channel_counts() -> None:
    calm = replace(a_watch(), since=NOON - timedelta(hours=1), thread=ThreadMode.OFF)
    for preset, forms in ((Preset.FAILURES, ["card", "run"]), (Preset.ALL, ["card", "run", "run"])):
        teller = Teller(calm, replace(calm, preset=preset))
        runs = [a_run(f"r{n}", s, minute=n) for n, s in enumerate((FAILED, FAILED, PASSED))]
        fresh = [message for run in runs for message in teller.polls(run)]
        assert told(fresh) == forms
        assert {m.form for m in fresh} == {Form.POST}
        assert next(iter(teller.episodes.values())).fixed_at is not None


def states(teller: Teller) -> list[tuple[str, bool]]:
    """The episodes that the last poll stored: the run of their card, and whether it is over."""
    return [(e.card_key.split()[-2], e.fixed_at is not None) for e in teller.last.episodes]


def test_a_failure_after_a_pass_that_no_watch_heard_has_a_card_of_its_own() -> None:
    teller = Teller()
    teller.polls(a_run("r1", FAILED))
    heard, teller.watches = teller.watches, ()
    teller.polls(a_run("r2", PASSED, minute=1))
    teller.watches = heard
    assert told(teller.polls(a_run("r3", FAILED, minute=2))) == ["card"]
    assert states(teller) == [("wercker:r1", True), ("wercker:r3", False)]
    edits = [m.body for m in teller.last.messages if m.form is Form.EDIT]
    assert [e.is_fixed for e in edits if isinstance(e, AlertCard)] == [True]


def test_an_episode_that_ends_in_the_poll_that_opens_the_next_one_stays_over() -> None:
    teller = Teller()
    teller.polls(a_run("r1", FAILED))
    fresh = teller.polls(a_run("r2", PASSED, minute=1), a_run("r3", FAILED, minute=2))
    assert told(fresh) == ["reply", "card"]
    assert states(teller) == [("wercker:r1", True), ("wercker:r3", False)]


def test_a_pipeline_that_was_red_before_the_watch_is_known_to_have_been() -> None:
    teller = Teller(replace(a_watch(), since=NOON + timedelta(minutes=9, seconds=30)))
    old = [a_run(f"r{n}", PASSED if n < 6 else FAILED, minute=n) for n in range(9)]
    assert told(teller.polls(*old)) == []
    (card,) = teller.polls(a_run("r9", FAILED, minute=20))
    assert isinstance(card.body, AlertCard)
    assert card.body.failures == 1
    assert card.body.first_bad is not None
    assert card.body.first_bad.ref.run_id == "r6"
    assert card.body.opinion is not None
    assert card.body.opinion.evidence == "6 of the 6 runs before passed"


MUTED_UNTIL = NOON + timedelta(hours=2)
LATER = MUTED_UNTIL + timedelta(minutes=1)


def muted_failure(**mutes: Any) -> Teller:
    """Red since the mute began, of which nothing was said."""
    teller = Teller(mutes=[Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1", **mutes)])
    assert told(teller.polls(a_run("r1", FAILED))) == []
    assert told(teller.polls(a_run("r2", FAILED, minute=1))) == []
    return teller


def test_what_is_still_red_when_a_mute_ends_is_told_once() -> None:
    teller = muted_failure()
    card, *others = teller.polls(now=LATER)
    assert not others
    assert isinstance(card.body, AlertCard)
    assert (card.body.failures, card.body.latest.ref.run_id) == (2, "r2")
    assert "the mute is over" in card.body.reason
    assert teller.treatments == [Treatment.CARD]
    assert told(teller.polls(now=LATER)) == []
    assert told(teller.polls(a_run("r3", FAILED, minute=2), now=LATER)) == ["reply"]
    assert told(teller.polls(a_run("r4", PASSED, minute=3), now=LATER)) == ["reply"]


def test_what_turned_green_under_a_mute_is_not_told() -> None:
    teller = muted_failure()
    assert told(teller.polls(a_run("r3", PASSED, minute=2))) == []
    assert told(teller.polls(now=LATER)) == []
    assert told(teller.polls(a_run("r4", FAILED, minute=3), now=LATER)) == ["card"]


def test_a_failure_that_is_run_again_when_a_mute_ends_is_told_when_it_is_over() -> None:
    mute = Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")
    teller = Teller(mutes=[mute], runs_reopen=True)
    teller.polls(a_run("r1", FAILED))
    assert told(teller.polls(a_run("r1", RUNNING), now=LATER)) == []
    assert told(teller.polls(a_run("r1", FAILED), now=LATER)) == ["card"]


def test_what_a_mute_held_back_is_not_told_without_a_watch_from_then() -> None:
    teller = muted_failure()
    teller.watches = (replace(a_watch(), since=LATER),)
    assert told(teller.polls(now=LATER)) == []


def test_a_mute_that_wakes_tells_what_it_held_back_too() -> None:
    teller = Teller(mutes=[Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")])
    runs = [replace(a_run(f"r{n}", FAILED, minute=n), failed_step=s) for n, s in enumerate("ab")]
    assert [told(teller.polls(run)) for run in runs] == [[], ["card"]]
    assert next(iter(teller.episodes.values())).is_told
    assert told(teller.polls(now=LATER)) == []


def named(run_id: str, *names: str, minute: int = 0) -> Run:
    return replace(a_run(run_id, FAILED, minute=minute), failing=names)


def test_what_failed_may_become_known_later_and_is_not_told_twice() -> None:
    teller = Teller()
    assert told(teller.polls(a_run("r1", FAILED))) == ["card"]
    assert teller.polls(named("r1", "a")) == []
    (edit,) = teller.last.messages
    assert edit.form is Form.EDIT
    assert edit.body.latest.failing == ("a",)  # type: ignore[union-attr]
    (episode,) = teller.episodes.values()
    assert episode.latest.failing == ("a",), "a mute of the card is about it"


def test_what_failed_is_not_forgotten_by_a_reading_that_does_not_tell() -> None:
    teller = Teller(runs_reopen=True)
    teller.polls(named("r1", "a"))
    teller.polls(a_run("r1", FAILED))
    assert teller.last == PollChanges()
    again = replace(a_run("r1", FAILED), finished=NOON + timedelta(minutes=9))
    teller.polls(again)
    (snapshot,) = teller.snapshots.values()
    assert snapshot.run.failing == (), "a new attempt failed for reasons of its own"


def test_a_mute_of_a_card_wakes_once_it_is_known_what_else_failed() -> None:
    teller = Teller()
    teller.polls(named("r1", "a"))
    mute = Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")
    teller.mutes = {(mute.channel, mute.pattern, mute.branch): mute.hear(named("r1", "a"))[0]}
    assert teller.polls(a_run("r2", FAILED, minute=1)) == []
    assert teller.polls(named("r2", minute=1)) == []
    assert told(teller.polls(named("r2", "b", minute=1))) == ["run"]
    assert teller.treatments == [Treatment.ALONE]
    assert teller.polls(named("r2", "b", minute=1)) == []
    assert told(teller.polls(named("r3", "b", minute=2))) == ["reply"]


def test_a_mute_goes_on_once_it_is_known_that_the_same_failed() -> None:
    teller = Teller(mutes=[Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")])
    for run in (named("r1", "a"), a_run("r2", FAILED, minute=1), named("r2", "a", minute=1)):
        assert teller.polls(run) == []


def test_a_card_that_a_mute_held_back_comes_when_what_failed_wakes_it() -> None:
    teller = Teller(mutes=[Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")])
    for run in (named("r1", "a"), a_run("r2", FAILED, minute=1)):
        assert teller.polls(run) == []
    assert told(teller.polls(named("r2", "b", minute=1))) == ["card"]


def test_what_woke_a_mute_late_is_not_told_if_it_has_passed_since() -> None:
    teller = Teller(mutes=[Mute("C1", Pattern("wercker", "*"), MUTED_UNTIL, "U1")])
    for run in (named("r1", "a"), a_run("r2", FAILED, minute=1), a_run("r3", PASSED, minute=2)):
        assert teller.polls(run) == []
    assert teller.polls(named("r2", "b", minute=1)) == []


def test_a_person_is_called_again_for_another_failure_only() -> None:
    teller = Teller(replace(a_watch(), since=NOON - timedelta(hours=1), mention="U2"))
    failures = (("a", "b"), ("a",), (), ("a", "c"))
    for number, names in enumerate(failures):
        teller.polls(named(f"r{number}", *names, minute=number))
    bodies = [m.body for m in teller.messages.values()]
    assert [b.mention for b in bodies] == ["U2", None, None, None]  # type: ignore[union-attr]
    teller.polls(named("r9", "d", minute=9))
    assert [*teller.messages.values()][-1].body.mention == "U2"  # type: ignore[union-attr]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Status))), max_size=30),
    st.booleans(),
)
def test_each_failure_is_told_once_whatever_the_pages_show(
    pages: list[tuple[int, Status]],
    runs_reopen: bool,  # noqa: FBT001
) -> None:
    teller = Teller(runs_reopen=runs_reopen)
    seen: list[str] = []
    for number, status in pages:
        seen += [m.key for m in teller.polls(a_run(f"r{number}", status, minute=number))]
    assert len(seen) == len(set(seen))
    failed = {s.run.ref for s in teller.snapshots.values() if s.run.status.is_failure}
    named = " ".join(seen)
    assert all(str(ref) in named for ref in failed)


@given(
    st.permutations(range(6)), st.lists(st.sampled_from([PASSED, FAILED]), min_size=6, max_size=6)
)
def test_the_order_within_a_page_does_not_matter(order: list[int], ends: list[Status]) -> None:
    runs = [a_run(f"r{n}", ends[n], minute=n) for n in range(6)]
    one, other = Teller(), Teller()
    one.polls(*runs)
    other.polls(*(runs[n] for n in order))
    assert one.messages.keys() == other.messages.keys()
    assert {m.body.pipeline for m in one.messages.values() if hasattr(m.body, "pipeline")} <= {SHOP}
