"""What a pipeline's own past says: properties and the cases people meet."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.opinions import Opinion, differences, is_same_commit, judge
from bot.domain.overdue import ENOUGH, overdue_by, usual_longest
from bot.domain.runs import Run
from bot.domain.statuses import Status
from tests.fakes.store_samples import NOON, a_run

STATUSES = st.sampled_from(list(Status))
SPANS = st.integers(0, 10**6).map(lambda s: timedelta(seconds=s))


def past(word: str, commit: str | None = None) -> list[Run]:
    """`PPF` is two passed runs and a failed one, oldest first."""
    marks = {"P": Status.PASSED, "F": Status.FAILED, "A": Status.ABORTED}
    return [
        replace(a_run(f"r{n}", marks[c], minute=n), commit=commit or f"c{n}")
        for n, c in enumerate(word)
    ]


def opinion(word: str, commit: str | None = None) -> Opinion:
    *before, red = past(f"{word}F", commit)
    return judge(before, red)


def test_the_three_verdicts() -> None:
    assert opinion("PPPPPP").words == "looks new"
    assert opinion("PPFPPFPP").words == "looks flaky"
    assert opinion("PP").words == "not enough history"
    assert opinion("FFFFFF").words == "not enough history"
    assert opinion("PPPPPFPPPP").words == "looks new"
    assert opinion("PPPPPP", commit="c").words == "looks flaky"


def test_the_evidence_is_counts() -> None:
    assert opinion("PPFPPFPP").evidence == (
        "6 of the 8 runs before passed; it went red and green again 2 times"
    )
    assert opinion("PPPPA").evidence == "4 of the 4 runs before passed"


@given(st.lists(STATUSES, max_size=25), st.randoms())
def test_the_order_of_the_past_and_runs_without_verdict_do_not_matter(
    statuses: list[Status], shuffler: Random
) -> None:
    runs = [a_run(f"r{n}", status, minute=n) for n, status in enumerate(statuses)]
    red = a_run("red", minute=99)
    judged = [r for r in runs if r.status is Status.PASSED or r.status.is_failure]
    shuffled = list(runs)
    shuffler.shuffle(shuffled)
    assert judge(runs, red) == judge(shuffled, red) == judge(judged, red)


def test_what_changed() -> None:
    green = replace(a_run("g", Status.PASSED), commit="a", environment="dev", author="kim")
    red = replace(a_run("r"), commit="b", environment="dev", author="kim")
    assert [d.what for d in differences(green, red)] == ["commit"]
    assert not is_same_commit(green, red)
    assert is_same_commit(green, replace(red, commit="a"))
    assert not is_same_commit(replace(green, commit=None), replace(red, commit=None))
    slow = replace(red, finished=red.finished and red.finished + timedelta(minutes=5))
    (commit, took) = differences(green, slow)
    assert (commit.after, took.what, took.before, took.after) == ("b", "duration", "30 s", "5m 30s")


def test_parameters_that_changed() -> None:
    """Between commit and starter, in the order of the red run; one that only one run tells says
    nothing.
    """
    was = (("includeTags", "none"), ("copies", "1"), ("buildId", "7"), ("gone", "1"))
    now = (("new", "1"), ("buildId", "8"), ("includeTags", "smoke"), ("copies", "1"))
    green = replace(a_run("g", Status.PASSED), commit="a", author="kim", parameters=was)
    red = replace(a_run("r"), commit="b", author="sam", parameters=now)
    found = differences(green, red)
    assert [d.what for d in found] == ["commit", "buildId", "includeTags", "started by"]
    assert (found[2].before, found[2].after) == ("none", "smoke")
    assert differences(replace(green, parameters=()), red)[1].what == "started by"


@given(
    st.builds(
        replace,
        st.just(a_run()),
        commit=st.none() | st.text(),
        author=st.text(),
        parameters=st.dictionaries(st.text(), st.text()).map(lambda of: tuple(of.items())),
    )
)
def test_a_run_does_not_differ_from_itself(run: Run) -> None:
    assert differences(run, run) == ()


@given(st.lists(SPANS, max_size=60))
def test_few_runs_make_nothing_overdue(spans: list[timedelta]) -> None:
    longest = usual_longest(spans)
    if len(spans) < ENOUGH:
        assert longest is None
        return
    assert longest in spans
    assert sum(span <= longest for span in spans) >= 0.95 * len(spans)


@given(st.lists(SPANS, min_size=20, max_size=60), SPANS)
def test_overdue_means_longer_than_usual_by_half(spans: list[timedelta], so_far: timedelta) -> None:
    run = replace(a_run("r", Status.RUNNING), started=NOON)
    longest = usual_longest(spans)
    assert longest is not None
    found = overdue_by(run, spans, NOON + so_far)
    assert (found is not None) == (so_far > longest * 1.5)


def test_a_run_that_is_over_or_has_not_begun_is_not_overdue() -> None:
    spans = [timedelta(seconds=1)] * 20
    late = NOON + timedelta(days=1)
    assert overdue_by(a_run("r", Status.QUEUED), spans, late) is None
    assert overdue_by(replace(a_run("r"), started=NOON), spans, late) is None
