"""Rendering: what people see, within Slack's limits, whatever the vendors say."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from bot.domain.access import Verb
from bot.domain.intents import Topic
from bot.domain.mutes import KnownFailure, Mute
from bot.domain.opinions import Difference
from bot.domain.pipelines import Pattern, Pipeline, PipelineRef
from bot.domain.replies import (
    ActionCard,
    ActionState,
    AlertCard,
    AlertReply,
    Busy,
    ChannelNotice,
    Confirmation,
    Control,
    HelpPage,
    History,
    HistoryMark,
    LogTail,
    Notice,
    Offer,
    OutOfSight,
    ParameterHelp,
    PipelineList,
    Preview,
    PreviewLine,
    Problem,
    ProviderList,
    ProviderState,
    Reply,
    RunDetail,
    RunList,
    Silent,
    StepList,
    TriggerHelp,
    WatchAdded,
    WatchList,
    WatchState,
)
from bot.domain.replies import (
    TestList as ListOfTests,
)
from bot.domain.runs import Counts, Log, Run, RunRef, Step
from bot.domain.runs import TestResult as Result
from bot.domain.statuses import Status
from bot.domain.watches import Filter, Preset, Watch
from bot.playground.slack.blocks import message_problems, too_much_text
from bot.slack.rendering import RenderContext, Rendered, render
from bot.slack.values import LIFETIME, CommandPress, RunPress, Signer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNER = Signer("a secret of the deployment")
CONTEXT = RenderContext(NOW, "C1", lambda press: SIGNER.sign(press, "C1", NOW + LIFETIME))
PREFIXED = replace(CONTEXT, prefix="ci-")
BOTH = (Control.RETRY, Control.ABORT)
NIGHTLY = PipelineRef("testery", "nightly")
RUN = Run(
    RunRef("testery", "55676"),
    NIGHTLY,
    Status.FAILED,
    "Fail",
    branch="main",
    commit="0a1b2c3",
    author="sam",
    environment="dev",
    created=NOW - timedelta(hours=2, minutes=8),
    started=NOW - timedelta(hours=2, minutes=7),
    finished=NOW - timedelta(hours=2, seconds=34),
    url="https://testery.example/runs/55676",
    counts=Counts(30, 27, 3, 0),
)


def text_of(reply: Reply, context: RenderContext = CONTEXT) -> str:
    return render(reply, context).text


def elements(rendered: Rendered) -> Iterator[dict[str, Any]]:
    for block in rendered.blocks:
        if block["type"] == "actions":
            yield from block["elements"]


def labels(rendered: Rendered) -> dict[str, dict[str, Any]]:
    """The buttons by their labels, and `…` for the overflow menu."""
    every = elements(rendered)
    return {one["text"]["text"] if "text" in one else "…": one for one in every}


def mrkdwn(rendered: Rendered) -> str:
    every = [b["text"] for b in rendered.blocks if b["type"] == "section"]
    every += [e for b in rendered.blocks if b["type"] == "context" for e in b["elements"]]
    return "\n".join(one["text"] for one in every)


def check(rendered: Rendered) -> None:
    assert message_problems(rendered.blocks) == []
    assert not too_much_text(rendered.blocks)
    assert 0 < len(rendered.text) <= 4000
    rendered.text.encode()


# Listings


def test_a_line_of_a_listing() -> None:
    listing = RunList((RUN, replace(RUN, status=Status.PASSED)), 41, timedelta(seconds=20))
    lines = text_of(listing).split("\n")
    assert (
        lines[0]
        == "1. ✖ failed  testery:55676  nightly @main dev · 3 of 30 failed · 6m 26s · 2 h ago"
    )
    assert lines[1].startswith("2. ✔ passed  testery:55676  nightly @main dev")
    assert lines[2] == "2 shown · 41 looked at · oldest data 20 s"
    assert "1. ✖ failed  <https://testery.example/runs/55676|testery:55676>  nightly" in mrkdwn(
        render(listing, CONTEXT)
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.QUEUED, "○ queued"),
        (Status.RUNNING, "● running"),
        (Status.WAITING, "‖ waiting"),
        (Status.PASSED, "✔ passed"),
        (Status.FAILED, "✖ failed"),
        (Status.ERRORED, "⚠ error"),
        (Status.ABORTED, "⊘ aborted"),
        (Status.SKIPPED, "\u2013 skipped"),
        (Status.UNKNOWN, "? unknown (Fail)"),
    ],
)
def test_symbol_and_word_stand_before_the_id(status: Status, words: str) -> None:
    line = text_of(RunList((replace(RUN, status=status),), 1, timedelta(0)))
    assert line.startswith(f"1. {words}  testery:55676  nightly @main")


def test_an_empty_listing_says_what_was_looked_at() -> None:
    empty = RunList((), 41, timedelta(seconds=20), what="failing runs")
    assert text_of(empty) == "ⓘ no failing runs; 41 looked at; oldest data 20 s"


@pytest.mark.parametrize(("count", "heading"), [(1, "1 failing run"), (2, "2 failing runs")])
def test_a_listing_of_something_is_headed_by_how_many(count: int, heading: str) -> None:
    listing = RunList((RUN,) * count, 41, timedelta(seconds=20), what="failing runs branch=runs")
    assert text_of(listing).split("\n")[0] == f"{heading} branch=runs"


def test_who_does_not_answer_is_named_with_the_reason() -> None:
    silent = (Silent("debci", "did not answer in time"),)
    rendered = render(RunList((RUN,), 1, timedelta(0), silent), CONTEXT)
    for said in (rendered.text, mrkdwn(rendered)):
        assert "no answer from debci: did not answer in time" in said


def test_an_id_with_markup_in_it_is_printed_in_full_beside_its_link() -> None:
    odd = replace(RUN, ref=RunRef("testery", "~a_"))
    rendered = render(RunList((odd,), 1, timedelta(0)), CONTEXT)
    assert "`testery:~a_`" in rendered.text
    assert "<https://testery.example/runs/55676|page>" in mrkdwn(rendered)


def test_five_hundred_runs_fit() -> None:
    runs = tuple(replace(RUN, ref=RunRef("testery", str(n))) for n in range(500))
    rendered = render(RunList(runs, 500, timedelta(seconds=20)), CONTEXT)
    check(rendered)
    assert "500 shown" in rendered.text
    assert "left out" in mrkdwn(rendered)


def test_progress_is_shown_while_a_run_goes_on() -> None:
    running = replace(RUN, status=Status.RUNNING, finished=None, progress=45, counts=Counts())
    assert "▓▓▓▓░░░░░░ 45 %" in text_of(RunList((running,), 1, timedelta(0)))


# One run


def test_one_run_with_everything() -> None:
    detail = RunDetail(
        RUN,
        (Step("1", "setup environment", Status.PASSED),),
        (Result("test_login", Status.FAILED, "expected 1, password=hunter2", 1.25),),
        BOTH,
        ("steps are not complete",),
    )
    rendered = render(detail, CONTEXT)
    check(rendered)
    assert "by sam · commit 0a1b2c3" in rendered.text
    assert "✔ passed  setup environment" in rendered.text
    assert "✖ failed  test_login · 1.2 s · expected 1, password=•••" in rendered.text
    assert "⚠ steps are not complete" in rendered.text
    assert "hunter2" not in mrkdwn(rendered)
    assert list(labels(rendered)) == ["Retry", "Abort", "Open"]


def test_one_run_with_what_it_was_started_with() -> None:
    given = (("includeTags", "smoke,login"), ("excludedTags", "none"), ("copies", "2"))
    shown = text_of(RunDetail(replace(RUN, parameters=given)))
    assert "includeTags smoke,login · copies 2" in shown.splitlines()
    odd = (("trigger", "<!here> *x* password=hunter2"),)
    shown = text_of(RunDetail(replace(RUN, parameters=odd)))
    assert "trigger `&lt;!here&gt; *x* password=•••`" in shown.splitlines()


def test_buttons_carry_signed_pointers_and_abort_asks() -> None:
    buttons = labels(render(RunDetail(RUN, controls=BOTH), CONTEXT))
    assert [buttons[name]["action_id"] for name in ("Retry", "Abort", "Open")] == [
        "retry",
        "abort",
        "open",
    ]
    read = SIGNER.read(buttons["Abort"]["value"], "C1", NOW)
    assert read == RunPress(Verb.ABORT, RUN.ref)
    assert buttons["Abort"]["style"] == "danger"
    asked = str(buttons["Abort"]["confirm"])
    assert all(name in asked for name in ("testery:55676", "nightly", "main"))
    assert "confirm" not in buttons["Retry"]
    assert buttons["Open"]["url"] == RUN.url
    assert "value" not in buttons["Open"]


def test_steps_and_tests() -> None:
    steps = (
        Step(
            "1",
            "build",
            Status.UNKNOWN,
            "odd",
            NOW,
            NOW + timedelta(seconds=9),
            "token=hunter2",
        ),
    )
    assert "1. ? unknown (odd)  build · 9 s · token=•••" in text_of(StepList(RUN, steps))
    assert "no steps" in text_of(StepList(RUN, ()))
    assert "no tests" in text_of(ListOfTests(RUN, ()))
    tests = ListOfTests(RUN, (Result("a *b*", Status.SKIPPED),))
    assert "\u2013 skipped  `a *b*`" in text_of(tests)


def test_a_log_is_plain_masked_and_in_code() -> None:
    log = Log("setup", "\x1b[31mred\x1b[0m ```x```\n10%\r100%\nTOKEN=hunter2\n<!channel>\n")
    rendered = render(LogTail(RUN.ref, log, 40), CONTEXT)
    check(rendered)
    for said in (rendered.text, mrkdwn(rendered)):
        assert "red \u02cb\u02cb\u02cbx" in said
        assert "\n100%\n" in said
        assert "10%\r" not in said
        assert "hunter2" not in said
        assert "\x1b" not in said
        assert "&lt;!channel&gt;" in said
    assert "4 lines" in rendered.text


def test_the_last_lines_of_a_long_log_are_shown() -> None:
    log = Log("setup", "\n".join(f"line {n} {'&' * 300}" for n in range(5000)))
    rendered = render(LogTail(RUN.ref, log, 500), CONTEXT)
    check(rendered)
    assert "line 4999" in rendered.text
    assert "line 4999" in mrkdwn(rendered)
    short = Log("setup", "\n".join(f"line {n}" for n in range(5000)))
    few = render(LogTail(RUN.ref, short, 2), CONTEXT)
    assert "last 2 lines" in few.text
    assert "line 4998" in few.text
    assert "line 4997" not in few.text


def test_an_empty_log_says_so() -> None:
    assert "it is empty" in text_of(LogTail(RUN.ref, Log("x", "\n"), 40))


def test_a_history() -> None:
    marks = tuple(HistoryMark(status, RUN.ref) for status in (Status.PASSED, Status.FAILED))
    shown = text_of(History(NIGHTLY, marks, 1, 2, timedelta(seconds=386), RUN))
    assert "1 of 2 passed (50 %) · typically 6m 26s" in shown
    assert "✔✖  1 of the last 2 passed" in shown
    assert "no runs" in text_of(History(NIGHTLY, (), 0, 0))


# Mutations


def card(state: ActionState, **more: Any) -> ActionCard:
    return ActionCard(Verb.ABORT, "U012", "testery:55676", state, **more)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (ActionState.SENDING, "⏳ <@U012> asked to abort testery:55676 — sending"),
        (ActionState.DONE, "✔ <@U012> asked to abort testery:55676 — done"),
        (ActionState.REFUSED, "✖ <@U012> asked to abort testery:55676 — refused"),
        (ActionState.UNKNOWN, "? <@U012> asked to abort testery:55676 — unknown"),
    ],
)
def test_a_card_names_who_asked_and_how_it_stands(state: ActionState, says: str) -> None:
    shown = text_of(card(state, note="the vendor said no", reason="wrong branch"))
    assert shown.startswith(says)
    assert "the vendor said no" in shown
    assert "reason: wrong branch" in shown
    assert ("Nothing more is sent" in shown) is (state is ActionState.UNKNOWN)


def test_the_end_of_an_abort_is_one_line() -> None:
    began = NOW - timedelta(minutes=3)
    ended = began + timedelta(seconds=41)
    aborted = replace(RUN, status=Status.ABORTED, started=began, finished=ended)
    shown = text_of(card(ActionState.DONE, run=aborted, reason="wrong branch"))
    wanted = "⊘ aborted  testery:55676  nightly @main after 41 s by <@U012>: wrong branch"
    assert shown.startswith(wanted)


def test_a_started_run_is_shown_on_its_card() -> None:
    queued = replace(RUN, status=Status.QUEUED, finished=None, counts=Counts())
    started = ActionCard(
        Verb.TRIGGER, "U012", "testery:nightly", ActionState.DONE, queued, controls=BOTH[1:]
    )
    rendered = render(started, CONTEXT)
    assert "○ queued  testery:55676  nightly @main" in rendered.text
    assert list(labels(rendered)) == ["Abort", "Open"]


def test_a_confirmation_names_the_run_and_carries_the_reason() -> None:
    asked = Confirmation(Verb.ABORT, RUN, "Abort testery:55676?", "wrong branch")
    rendered = render(asked, CONTEXT)
    for fact in ("testery:55676", "pipeline nightly", "branch main", "2 h ago", "wrong branch"):
        assert fact in rendered.text
    button = labels(rendered)["Abort"]
    assert button["action_id"] == "confirm_yes"
    press = SIGNER.read(button["value"], "C1", NOW)
    assert press == RunPress(Verb.ABORT, RUN.ref, "wrong branch")


def test_a_dry_run_lists_values_and_where_they_come_from() -> None:
    lines = (
        PreviewLine("branch", "main", "typed"),
        PreviewLine("env.IMAGE", "2.1", "typed"),
        PreviewLine("priority", "", "provider default"),
    )
    shown = text_of(Preview(Verb.TRIGGER, "wercker:a/b/c", lines))
    assert "branch = main  (typed)" in shown
    assert "env.IMAGE = •••  (typed)" in shown
    assert "priority = (empty)  (provider default)" in shown
    assert shown.endswith("Nothing was sent.")


def test_who_was_first_is_named() -> None:
    shown = text_of(Busy("U012", Verb.ABORT, "testery:55676"))
    assert "<@U012> is aborting testery:55676" in shown


# Errors and help


def test_an_error_has_its_four_parts() -> None:
    problem = Problem(
        "/trigger nigthly staging br=main",
        'no pipeline "nigthly" in testery',
        (
            Offer("nightly", "/trigger nightly staging br=main", is_mutation=True),
            Offer("nightly-e2e", "/trigger nightly-e2e staging br=main", is_mutation=True),
        ),
        "/trigger help · /runs pipelines",
    )
    rendered = render(problem, CONTEXT)
    assert rendered.text == (
        "✖ I read:   /trigger nigthly staging br=main\n"
        '  problem:  no pipeline "nigthly" in testery\n'
        "  maybe:    [/trigger nightly staging br=main]  [/trigger nightly-e2e staging br=main]\n"
        "  help:     /trigger help · /runs pipelines"
    )
    buttons = labels(rendered)
    assert list(buttons) == ["nightly", "nightly-e2e"]
    assert buttons["nightly"]["action_id"] == "offer_1"
    press = SIGNER.read(buttons["nightly"]["value"], "C1", NOW)
    assert press == CommandPress("/trigger nightly staging br=main")


def test_a_masked_or_very_long_command_is_offered_as_text_only() -> None:
    masked = Offer("nightly", "/trigger nightly env.A=•••", is_mutation=True)
    long = Offer("long", f"/trigger {'x' * 1900}", is_mutation=True)
    rendered = render(Problem("/trigger n", "no", (masked, long)), CONTEXT)
    assert list(elements(rendered)) == []
    assert "/trigger nightly env.A=•••" in mrkdwn(rendered)


def test_commands_are_shown_with_the_prefix_of_the_workspace() -> None:
    problem = Problem("/runs x", "see /runs help", (Offer("/runs", "/runs"),), "/runs help")
    rendered = render(problem, PREFIXED)
    assert "/ci-runs x" in rendered.text
    assert "see /ci-runs help" in rendered.text
    assert " /runs" not in rendered.text
    assert list(labels(rendered)) == ["/ci-runs"]
    topics: tuple[Topic, ...] = get_args(Topic)
    for topic in topics:
        shown = text_of(HelpPage(topic), PREFIXED)
        assert f"/ci-{topic}" in shown
        assert not re.search(r"(?<!\w)/(?:runs|trigger|abort|retry|watch)", shown)


def test_help_lists_the_parameters_of_each_provider() -> None:
    one = TriggerHelp(
        "testery",
        "Testery",
        "project/environment",
        (ParameterHelp("includeTags", "tags to run", is_required=True),),
        takes_variables=True,
    )
    shown = text_of(HelpPage("trigger", providers=(one,)))
    assert "Testery  testery:project/environment" in shown
    assert "`includeTags=` (required)  tags to run" in shown
    assert "env.NAME=" in shown


def test_notices_lead_with_a_symbol() -> None:
    assert text_of(Notice("done", "done")) == "✔ done"
    assert text_of(Notice("a\nb", "warning")) == "⚠ a\nb"
    assert text_of(ChannelNotice("no sight", "problem", NOW)).startswith("✖ no sight (since <!date")


# What there is


def test_providers_in_words() -> None:
    up = ProviderState("testery", "Testery", is_reachable=True, account="ci", can=("get", "abort"))
    down = ProviderState(
        "debci",
        "debci",
        is_reachable=False,
        problem="did not answer",
        poll_age=timedelta(minutes=5),
        cannot=("debci has no abort: a run ends by itself.",),
    )
    shown = text_of(ProviderList((up, down)))
    assert "✔ reachable  testery  Testery · as ci" in shown
    assert "can: get, abort" in shown
    assert "✖ not reachable  debci  debci · did not answer · polled 5 min ago" in shown
    assert "cannot: debci has no abort: a run ends by itself." in shown
    refused = ProviderState("env0", "env0", is_reachable=False, is_refused=True)
    assert "✖ credential refused  env0" in text_of(ProviderList((refused,)))
    assert "no provider" in text_of(ProviderList(()))


def test_pipelines() -> None:
    shown = text_of(PipelineList((Pipeline(NIGHTLY, "Nightly tests"),), "n*"))
    assert shown == "1 pipeline like `n*`\ntestery:nightly — Nightly tests"
    assert text_of(PipelineList((), "x*")) == "ⓘ no pipelines like `x*`"


def watch(**more: Any) -> Watch:
    return Watch("C1", Pattern("testery", "nightly"), "U012", NOW, **more)


def test_a_new_watch_says_what_it_will_post() -> None:
    passed = replace(RUN, status=Status.PASSED)
    added = WatchAdded(watch(filters=(Filter("branch", ("main",)),)), passed)
    assert text_of(added) == (
        "✔ I will post here when testery:nightly on main fails or is fixed. "
        "Right now: passed 2 h ago."
    )
    every = WatchAdded(replace(watch(preset=Preset.ALL), pattern=Pattern("*", "*")))
    assert text_of(every) == "✔ I will post here when any pipeline ends, each time."


def test_the_watches_of_a_channel() -> None:
    until = NOW + timedelta(hours=1)
    woken = KnownFailure(NIGHTLY, "main", frozenset({"lint"}), is_awake=True)
    mute = Mute("C1", Pattern("testery", "*"), until, "U012", because="flaky", known=(woken,))
    watches = (
        WatchState(
            watch(mention="U077", filters=(Filter("branch", ("x",), is_negated=True),)),
        ),
        WatchState(watch(suspended_because="the bot was removed")),
        WatchState(watch(), mute),
        WatchState(replace(watch(mention="here"), made_by="settings")),
        WatchState(watch(), blind=(OutOfSight("testery", NOW, "no answer"),)),
    )
    lines = text_of(WatchList("C1", watches)).split("\n")
    assert lines[0] == (
        "1. ● active  testery:nightly · branch!=x · on=changes · thread=quiet"
        " · mention <@U077> · by <@U012>"
    )
    assert lines[1].startswith("2. ⚠ suspended (the bot was removed)")
    assert lines[2].startswith("3. ‖ muted until <!date^")
    assert "flaky · not for what fails otherwise since: testery:nightly on main (lint)" in lines[2]
    assert lines[3].endswith("mention here · from the settings")
    assert lines[4].startswith("5. ⚠ blind: I cannot see testery since <!date^")
    assert "watches nothing" in text_of(WatchList("C1", ()))


# Alerts


def test_an_alert_says_status_pipeline_and_run_and_links_the_page() -> None:
    alert = AlertCard(
        NIGHTLY,
        "main",
        RUN,
        "turned failing",
        2,
        RUN,
        replace(RUN, status=Status.PASSED, ref=RunRef("testery", "55000")),
        (HistoryMark(Status.PASSED, RUN.ref), HistoryMark(Status.FAILED, RUN.ref)),
        mention="S012",
        controls=(Control.RETRY,),
    )
    rendered = render(alert, CONTEXT)
    check(rendered)
    assert rendered.text.startswith("✖ failed  testery:55676  nightly @main dev")
    assert "testery:nightly on main: turned failing · 2 failing runs" in rendered.text
    assert "<!subteam^S012>" in rendered.text
    assert "last green: ✔ passed  testery:55000" in rendered.text
    assert "✔✖" in rendered.text
    assert "ago" not in rendered.text
    assert f"<{RUN.url}|testery:55676>" in mrkdwn(rendered)
    assert list(labels(rendered)) == ["Retry", "Mute 2 h", "Open", "…"]


def test_a_card_tells_a_handful_of_what_changed() -> None:
    changed = tuple(Difference(f"p{n}", "a", "*b*, token: hunter2") for n in range(9))
    alert = AlertCard(NIGHTLY, "main", RUN, "turned failing", differences=changed)
    (line,) = (one for one in text_of(alert).splitlines() if one.startswith("changed since"))
    assert line.startswith("changed since: p0 a → `*b*, token: •••` · p1 a → ")
    assert line.endswith(" · and 3 more")
    assert "hunter2" not in line
    alert = replace(alert, differences=changed[:6])
    assert "p5 a →" in text_of(alert)
    assert "more" not in text_of(alert)


def test_a_fixed_alert_says_how_long_it_took() -> None:
    fixed = AlertCard(
        NIGHTLY,
        "main",
        replace(RUN, status=Status.PASSED),
        "passed",
        3,
        fixed_after=timedelta(hours=2, minutes=5),
        is_fixed=True,
        mention="here",
    )
    shown = text_of(fixed)
    assert shown.startswith("✔ fixed  testery:nightly on main after 3 failing runs, 2h 5m")
    assert "✔ passed  testery:55676" in shown
    assert "<!here>" not in shown


def test_news_below_a_card() -> None:
    shown = text_of(AlertReply(RUN, "failed again in a new attempt", "U012", BOTH))
    assert shown.startswith("✖ failed  testery:55676")
    assert "testery:nightly on main: failed again in a new attempt · <@U012>" in shown
