"""What a digest says: a pure function of what was folded into it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.digests import COMMON_SHARE, MOST_GROUPS, MOST_LISTED, News, list_all, summarise
from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.playground.slack.blocks import message_problems
from bot.slack.page import RenderContext
from bot.slack.rendering import render

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTEXT = RenderContext(NOON, "C1", lambda _press: "signed")

words = st.one_of(
    st.text(max_size=300), st.sampled_from(["prod", "install", "<!here>", "a" * 3000])
)
runs = st.builds(
    Run,
    st.builds(RunRef, st.sampled_from(["wercker", "testery"]), st.sampled_from(["r1", "r" * 128])),
    st.builds(PipelineRef, st.sampled_from(["wercker", "testery"]), words),
    st.sampled_from(Status),
    branch=st.none() | words,
    environment=st.none() | words,
    failed_step=st.none() | words,
    url=st.none() | st.just("https://ci.example/r1"),
)
fixes = st.none() | st.builds(RunRef, st.just("wercker"), st.sampled_from(["r1", "fix"]))
replies = st.builds(News, words, runs, st.sampled_from([0, 1]), st.none() | words, fixed_by=fixes)
cards = st.builds(
    News,
    words,
    runs,
    st.integers(1, 10**6),
    st.none() | words,
    is_card=st.just(value=True),
    fixed_by=fixes,
    has_card=st.booleans(),
)
folded = st.lists(replies | cards, min_size=1, max_size=60)


def news(number: int, **of_run: object) -> News:
    run = Run(
        RunRef("wercker", f"r{number}"),
        PipelineRef("wercker", f"app-{number % 20}"),
        Status.FAILED,
        **of_run,  # type: ignore[arg-type]
    )
    return News(f"card {number}", run, 1, is_card=True)


@given(folded)
def test_totals_add_up(items: list[News]) -> None:
    digest, everything = summarise(1, NOON, items), list_all(items)
    assert digest.total == everything.total
    assert digest.total >= sum(g.failures for g in digest.groups)
    assert digest.total == sum(count for _, count in digest.providers)
    assert digest.total >= sum(one.failures > 0 for one in items if not one.is_card)
    assert digest.pipelines == len({one.run.pipeline for one in items if one.failures})
    assert digest.carded <= digest.red <= digest.cards
    assert len(everything.failed) <= min(MOST_LISTED, everything.total)
    news_of_none = sum(not one.failures for one in items)
    assert everything.ended == news_of_none >= digest.fixes + digest.others


@given(folded)
def test_its_size_is_bounded_and_slack_takes_it(items: list[News]) -> None:
    digest = summarise(1, NOON, items)
    assert len(digest.groups) <= MOST_GROUPS
    for reply in (digest, list_all(items)):
        rendered = render(reply, CONTEXT)
        assert message_problems(rendered.blocks) == []
        assert 0 < len(rendered.text) <= 3900
        assert "<!here>" not in rendered.text


@given(folded)
def test_the_total_is_a_number_of_its_own(items: list[News]) -> None:
    digest = summarise(1, NOON, items)
    if digest.total:
        assert str(digest.total) in render(digest, CONTEXT).text.split()


def test_the_worst_ten_are_named_and_the_rest_counted() -> None:
    text = render(summarise(1, NOON, map(news, range(500))), CONTEXT).text
    assert "500 failing runs in 20 pipelines" in text
    assert "10 more pipelines" in text
    assert "25 \u00d7 ✖ failed  wercker:r" in text


def test_everything_is_listed_by_pipeline_as_far_as_it_fits() -> None:
    few = list_all([news(n) for n in range(40)])
    assert (len(set(few.failed)), few.total) == (40, 40)
    assert [one.run.pipeline.key for one in few.failed[:4]] == ["app-0", "app-0", "app-1", "app-1"]
    many = list_all([news(n) for n in range(500)])
    assert (len(many.failed), many.total) == (MOST_LISTED, 500)
    assert f"{500 - MOST_LISTED} more" in render(many, CONTEXT).text


def test_what_most_failures_share_is_said() -> None:
    enough = int(50 * COMMON_SHARE)
    items = [
        news(n, environment="staging", failed_step="install" if n < enough else None)
        for n in range(50)
    ]
    found = {one.what: (one.value, one.count) for one in summarise(1, NOON, items).shared}
    assert found == {
        "provider": ("wercker", 50),
        "environment": ("staging", 50),
        "first failure": ("install", enough),
    }
    fewer = [news(n, failed_step="install" if n < enough - 1 else None) for n in range(50)]
    assert [one.what for one in summarise(1, NOON, fewer).shared] == ["provider"]


def test_a_digest_of_what_did_not_fail_says_so() -> None:
    items = [News(f"n{n}", news(n).run, 0) for n in range(7)]
    assert "7 runs ended, none of them failed" in render(summarise(1, NOON, items), CONTEXT).text
