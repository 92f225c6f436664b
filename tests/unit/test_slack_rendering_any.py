"""Rendering of any value of the domain: always within Slack's limits, never a stray mention."""

# ruff: noqa: E501
# Strategies read best with one reply a line.

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import replies
from bot.domain.access import Verb
from bot.domain.decisions import Decision, Treatment
from bot.domain.digests import Digest, DigestGroup, DigestList, Listed, Shared
from bot.domain.mutes import KnownFailure, Mute
from bot.domain.opinions import Difference, Opinion
from bot.domain.pipelines import Pattern, Pipeline, PipelineRef
from bot.domain.replies import Reply
from bot.domain.runs import Counts, Log, Run, RunRef, Step
from bot.domain.runs import TestResult as Result
from bot.domain.statuses import Status
from bot.domain.transitions import Reason
from bot.domain.watches import Filter, Watch
from bot.playground.slack.blocks import message_problems, too_much_text
from bot.slack.rendering import RenderContext, Rendered, render
from bot.slack.values import LIFETIME, Signer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNER = Signer("a secret of the deployment")
CONTEXT = RenderContext(NOW, "C1", lambda press: SIGNER.sign(press, "C1", NOW + LIFETIME))
MENTIONS = re.compile(r"<([@!#][^>]*)>")


def elements(rendered: Rendered) -> Iterator[dict[str, Any]]:
    for block in rendered.blocks:
        if block["type"] == "actions":
            yield from block["elements"]


def mrkdwn(rendered: Rendered) -> str:
    every = [b["text"] for b in rendered.blocks if b["type"] == "section"]
    every += [e for b in rendered.blocks if b["type"] == "context" for e in b["elements"]]
    return "\n".join(one["text"] for one in every)


def check(rendered: Rendered) -> None:
    assert message_problems(rendered.blocks) == []
    assert not too_much_text(rendered.blocks)
    assert 0 < len(rendered.text) <= 4000
    rendered.text.encode()


weird = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "<!channel>",
            "<@U666>",
            "@here",
            "here",
            "<https://evil.example|ok>",
            "*b*",
            "`c`",
            "```",
            "> q",
            ":tada:",
            "a\nb",
            "\u202eabc",
            "\x00",
            "\ud800",
            "&amp;",
            "|",
            "x" * 5000,
            "&<>" * 2000,
            "👩‍👩‍👧" * 300,
        ]
    ),
)
maybe_weird = st.none() | weird
times = st.none() | st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
refs = st.builds(
    RunRef,
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9._~-]{3,128}", fullmatch=True),
)
pipelines = st.builds(PipelineRef, st.from_regex(r"[a-z]{1,9}", fullmatch=True), weird)
number = st.none() | st.integers(-5, 10**12)
runs = st.builds(
    Run,
    refs,
    pipelines,
    st.sampled_from(Status),
    weird,
    weird,
    maybe_weird,
    maybe_weird,
    maybe_weird,
    maybe_weird,
    times,
    times,
    times,
    st.none() | weird | weird.map(lambda text: f"https://ci.example/{text}"),
    st.builds(Counts, number, number, number, number),
    st.none() | st.integers(-10, 10**6),
    st.integers(0, 10**6),
    st.just(()),
    maybe_weird,
    parameters=st.lists(st.tuples(weird, weird), max_size=8).map(tuple),
)
spans = st.timedeltas(timedelta(days=-1), timedelta(days=99999))
controls = st.lists(st.sampled_from(replies.Control), max_size=3).map(tuple)
texts = st.lists(weird, max_size=8).map(tuple)
steps = st.builds(
    Step, weird, weird, st.sampled_from(Status), weird, times, times, weird, st.booleans()
)
tests = st.builds(
    Result, weird, st.sampled_from(Status), weird, st.none() | st.floats(0, 1e9), maybe_weird
)
silent = st.lists(st.builds(replies.Silent, weird, weird), max_size=4).map(tuple)
marks = st.lists(st.builds(replies.HistoryMark, st.sampled_from(Status), refs), max_size=40).map(
    tuple
)
tones = st.sampled_from(["info", "done", "warning", "problem"])
watches = st.builds(
    Watch,
    st.just("C1"),
    st.builds(Pattern, weird, weird),
    weird,
    st.just(NOW),
    st.lists(st.builds(Filter, st.just("branch"), texts, st.booleans()), max_size=2).map(tuple),
    mention=st.none() | weird.filter(lambda text: text != "here"),
    suspended_because=maybe_weird,
)
mutes = st.builds(
    Mute,
    st.just("C1"),
    st.builds(Pattern, weird, weird),
    st.just(NOW),
    weird,
    maybe_weird,
    weird,
    st.lists(
        st.builds(KnownFailure, pipelines, maybe_weird, st.frozensets(weird, max_size=4)),
        max_size=8,
    ).map(tuple),
)


def many(one: st.SearchStrategy[Any], most: int = 60) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.builds(
        lambda found, times: tuple(found * times),
        st.lists(one, max_size=4),
        st.integers(1, most // 4),
    )


watch_states = st.builds(
    replies.WatchState,
    watches,
    st.none() | mutes,
    many(st.builds(replies.OutOfSight, weird, st.just(NOW), weird), 8),
)
samples = st.builds(
    replies.Sample,
    st.sampled_from(["card", "reply", "message"]),
    runs,
    st.sampled_from(["", "fixed", "overdue"]),
)
changes = st.builds(Difference, weird, weird, weird)
opinions = st.builds(Opinion, weird, weird)
verdicts = st.builds(
    replies.Verdict,
    st.builds(
        Decision,
        st.just("C1"),
        refs,
        st.integers(1, 3),
        st.just(1),
        st.sampled_from(Reason),
        st.sampled_from(Treatment),
        st.just(NOW),
        st.none(),
        st.none() | mutes,
    ),
    weird,
    st.none() | st.just(1),
    st.none() | watches,
)
verbs = st.sampled_from(Verb)
counts = st.integers(0, 10**6)
mentions = st.lists(st.just("U7CALLED"), max_size=12).map(tuple)
LISTED = st.builds(Listed, runs, st.none() | refs)
STRATEGIES: dict[type, st.SearchStrategy[Any]] = {
    replies.Notice: st.builds(replies.Notice, weird, tones),
    replies.Problem: st.builds(replies.Problem, weird, weird, many(st.builds(replies.Offer, weird, weird), 12), weird),
    replies.Confirmation: st.builds(replies.Confirmation, verbs, runs, weird, weird),
    replies.RunList: st.builds(replies.RunList, many(runs, 400), st.integers(0, 10**9), spans, silent, weird, texts),
    replies.RunDetail: st.builds(replies.RunDetail, runs, many(steps), many(tests, 200), controls, texts),
    replies.StepList: st.builds(replies.StepList, runs, many(steps, 200)),
    replies.TestList: st.builds(replies.TestList, runs, many(tests, 400)),
    replies.LogTail: st.builds(replies.LogTail, refs, st.builds(Log, weird, weird, st.booleans()), st.integers(-1, 900)),
    replies.PipelineList: st.builds(replies.PipelineList, many(st.builds(Pipeline, pipelines, weird, st.just(()), maybe_weird), 400), weird, silent),
    replies.ProviderList: st.builds(replies.ProviderList, many(st.builds(replies.ProviderState, weird, weird, st.none() | st.booleans(), weird, weird, st.none() | spans, texts, texts, texts, st.booleans()), 40)),
    replies.Preview: st.builds(replies.Preview, verbs, weird, many(st.builds(replies.PreviewLine, weird, weird, st.just("typed")), 80), weird),
    replies.ActionCard: st.builds(replies.ActionCard, verbs, weird, weird, st.sampled_from(replies.ActionState), st.none() | runs, weird, weird, controls),
    replies.Busy: st.builds(replies.Busy, weird, verbs, weird),
    replies.HelpPage: st.builds(replies.HelpPage, st.sampled_from(["runs", "trigger", "abort", "retry", "watch"]), st.sampled_from(["", "ci-"]), many(st.builds(replies.TriggerHelp, weird, weird, weird, many(st.builds(replies.ParameterHelp, weird, weird, st.booleans()), 20), st.booleans()), 20)),
    replies.WatchList: st.builds(replies.WatchList, st.just("C1"), many(watch_states, 80), many(mutes, 20)),
    replies.WatchAdded: st.builds(replies.WatchAdded, watches, st.none() | runs, texts, st.none() | watches),
    replies.History: st.builds(replies.History, pipelines, marks, st.integers(0, 20), st.integers(0, 20), st.none() | spans, st.none() | runs),
    replies.Explanation: st.builds(replies.Explanation, runs, many(verdicts, 20), texts, st.none() | runs, many(changes, 8), st.booleans(), st.none() | opinions),
    replies.AlertCard: st.builds(replies.AlertCard, pipelines, maybe_weird, runs, weird, st.integers(0, 10**6), st.none() | runs, st.none() | runs, marks, st.none() | spans, st.booleans(), st.none(), controls, st.none() | runs, st.none() | opinions, many(changes, 8), st.booleans(), st.booleans()),
    replies.AlertReply: st.builds(replies.AlertReply, runs, weird, st.none(), controls, st.sampled_from(["", "fixed", "overdue"])),
    replies.MuteSet: st.builds(replies.MuteSet, mutes, st.booleans()),
    replies.MuteEnded: st.builds(replies.MuteEnded, many(mutes, 20), weird),
    replies.Rehearsal: st.builds(replies.Rehearsal, watches, st.integers(0, 999), st.integers(0, 999), times, many(samples, 12)),
    replies.ChannelNotice: st.builds(replies.ChannelNotice, weird, tones, times, st.none() | weird),
    Digest: st.builds(Digest, counts, st.just(NOW), counts, counts, many(st.builds(DigestGroup, pipelines, counts, runs, counts, counts, counts, st.none() | refs), 80), many(st.tuples(weird, counts), 40), many(st.builds(Shared, weird, weird, counts), 12), counts, counts, counts, counts, counts, mentions, st.booleans()),
    DigestList: st.builds(DigestList, many(LISTED, 400), counts, many(LISTED, 400), counts),
}  # fmt: skip
any_reply: st.SearchStrategy[Reply] = st.one_of(*STRATEGIES.values())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(any_reply)
def test_any_reply_keeps_the_limits_and_pings_nobody(reply: Reply) -> None:
    rendered = render(reply, CONTEXT)
    check(rendered)
    for said in (rendered.text, mrkdwn(rendered)):
        for mention in MENTIONS.findall(said):
            assert mention.startswith("!date^") or re.fullmatch(r"@[UW][A-Z0-9]+", mention)
        assert not re.search(r"&(?!(?:amp|lt|gt);)", said)
    assert "U666" not in str(MENTIONS.findall(rendered.text)) or _names(reply, "U666")
    for element in elements(rendered):
        assert len(element.get("value", "")) <= 2000


def _names(reply: Reply, user_id: str) -> bool:
    """Whether a person with this id is meant by a field that holds ids."""
    ids = [getattr(reply, "requester", ""), getattr(reply, "holder", "")]
    return user_id in ids


def test_every_reply_of_the_domain_is_covered() -> None:
    assert set(STRATEGIES) == set(get_args(Reply))


@given(runs)
def test_every_run_is_named_in_full(run: Run) -> None:
    for reply in (
        replies.RunList((run,), 1, timedelta(0)),
        replies.RunDetail(run),
        replies.AlertReply(run, "x"),
        replies.AlertCard(run.pipeline, run.branch, run, "x"),
    ):
        rendered = render(reply, CONTEXT)
        assert str(run.ref) in rendered.text
        assert str(run.ref) in mrkdwn(rendered)
        assert re.search(rf"{run.status}\b.*{re.escape(str(run.ref))}", rendered.text)
