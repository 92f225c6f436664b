"""debci's entries, words and forms, read from what two real servers answered."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.errors import Kind
from bot.domain.providers import OpenRun, TriggerRequest
from bot.domain.statuses import Status
from bot.playground.vendors.debci_model import Outcome, listing, until
from bot.playground.vendors.debci_model import Run as StandinRun
from bot.providers.debci import DebciSettings
from bot.providers.debci_calls import meaning
from bot.providers.debci_mark import Mark
from bot.providers.debci_rejects import reason_against
from bot.providers.debci_request import TriggerParameters, form_of, trigger_text
from bot.providers.debci_runs import Job, Place, RunReader, run_id_in

RECORDED = Path(__file__).parents[1] / "recorded" / "debci"
HOST = "https://debci.example.org"
NOW = datetime(2026, 11, 21, 21, tzinfo=UTC)
READER = RunReader("debci", HOST, timedelta(hours=48))
LISTINGS = sorted(RECORDED.glob("3.*/list-*.json"))
REQUEST = TriggerRequest("testing/amd64/hello", TriggerParameters(), (), "mark-1", "U123")


def entry(**fields: Any) -> dict[str, Any]:
    """As little as debci ever sends of a run."""
    least = {"run_id": 5, "package": "hello", "suite": "testing", "arch": "amd64", "status": None}
    return {**least, **fields}


def recorded(path: str) -> dict[int, Job]:
    value = json.loads((RECORDED / path).read_text())
    results = value["results"] if isinstance(value, dict) else value
    return {job.run_id: job for job in map(Job.model_validate, results)}


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_recorded_entry_becomes_a_run(path: Path) -> None:
    for item in json.loads(path.read_text())["results"]:
        run = READER.run(Job.model_validate(item), NOW)
        assert run.ref.run_id == str(item["run_id"])
        assert run.pipeline.key == f"{item['suite']}/{item['arch']}/{item['package']}"
        assert run.is_private is item["is_private"]
        assert run.is_over is (item["status"] is not None)
        assert (run.finished is None) is (item["status"] is None)
        assert run.when is not None, "every recorded run can be put in order"
        assert run.started is None or run.created is None or run.created <= run.started


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (None, Status.QUEUED),
        ("pass", Status.PASSED),
        ("fail", Status.FAILED),
        ("tmpfail", Status.ERRORED),
        ("neutral", Status.SKIPPED),
        ("sparkling", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_status_words(word: str | None, status: Status) -> None:
    run = READER.run(Job.model_validate(entry(status=word)), NOW)
    assert (run.status, run.raw_status) == (status, word or "")


def test_a_run_of_3_6_in_full() -> None:
    run = READER.run(recorded("3.6/list-finished.json")[2], NOW)
    assert (run.status, run.raw_status) == (Status.FAILED, "fail")
    assert run.title == "hello-fail 0.0.0-1~20261121: Tests failed"
    assert run.created == datetime(2026, 11, 21, 20, 41, 46, 346000, UTC)
    assert run.finished == datetime(2026, 11, 21, 20, 41, 48, tzinfo=UTC)
    assert run.started == run.created, "the end less the duration, but never before the request"
    assert run.url == f"{HOST}/packages/h/hello-fail/testing/amd64/#2"
    assert run.environment == "testing/amd64"


def test_a_run_of_3_12_in_full() -> None:
    run = READER.run(recorded("3.12/list-finished.json")[2], NOW)
    assert (run.status, run.title) == (Status.FAILED, "hello-fail 0.0.0-1~20261121")
    assert run.created is None, "3.12 does not tell it of a run that is over"
    assert run.started == datetime(2026, 11, 21, 20, 42, 31, tzinfo=UTC)
    assert run.finished == datetime(2026, 11, 21, 20, 42, 34, tzinfo=UTC)


@pytest.mark.parametrize("version", ["3.6", "3.12"])
def test_a_pending_run_was_created_when_it_last_changed(version: str) -> None:
    jobs = recorded(f"{version}/list-pending.json")
    raw = json.loads((RECORDED / version / "list-pending.json").read_text())["results"]
    for item in raw:
        shown = item.get("created_at", item["updated_at"])
        assert jobs[item["run_id"]].created == datetime.fromisoformat(shown)


def test_what_is_known_of_the_creation_is_kept() -> None:
    created = datetime(2026, 11, 21, 20, 42, 32, tzinfo=UTC)
    run = READER.run(recorded("3.12/list-finished.json")[2], NOW, created)
    assert (run.created, run.started) == (created, created)


def test_the_run_that_was_never_run_says_so() -> None:
    run = READER.run(recorded("3.6/list-after-retry.json")[7], NOW)
    assert run.status is Status.FAILED
    assert "not run" in run.title
    assert "reject list" in run.title
    others = recorded("3.6/list-finished.json").values()
    assert {job.package for job in others if job.was_refused} == {"blocked-here"}


def test_a_run_without_end_is_unknown_and_over() -> None:
    orphan = recorded("3.6/runs-broker-down.json")[18]
    assert orphan.created_at is not None
    late = READER.run(orphan, orphan.created_at + timedelta(hours=48, seconds=1))
    assert (late.status, late.is_over) == (Status.UNKNOWN, True)
    assert late.raw_status == "pending for over 48 h"
    in_time = READER.run(orphan, orphan.created_at + timedelta(hours=48))
    assert in_time.status is Status.QUEUED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_id", None),
        ("run_id", "5"),
        ("run_id", 0),
        ("run_id", -1),
        ("run_id", True),
        ("run_id", 5.5),
        ("run_id", 10**30),
        ("package", None),
        ("package", "../../etc"),
        ("package", "hello\n"),
        ("suite", "a/b"),
        ("suite", ".."),
        ("arch", ""),
        ("status", 3),
    ],
)
def test_an_entry_without_what_all_depends_on_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Job.model_validate(entry(**{field: value}))


def test_a_missing_status_is_not_a_null_one() -> None:
    bare = entry()
    del bare["status"]
    with pytest.raises(ValidationError):
        Job.model_validate(bare)


@pytest.mark.parametrize("value", [7, "yesterday", [], {}, "0001-01-01T00:00:00+14:00", 1e300])
def test_odd_optional_fields_cost_nothing(value: Any) -> None:
    fields = ("trigger", "version", "message", "date", "updated_at", "created_at")
    odd = dict.fromkeys((*fields, "duration_seconds"), value)
    run = READER.run(Job.model_validate(entry(status="fail", **odd)), NOW)
    assert run.status is Status.FAILED


@pytest.mark.parametrize("value", ["false", 0.5, "x", [], {}])
def test_what_may_be_private_is_private(value: Any) -> None:
    assert Job.model_validate(entry(is_private=value)).is_private is True


def test_titles_are_one_short_line() -> None:
    job = Job.model_validate(entry(status="fail", version="1<b>2</b>\n3", message="x\u202e" * 999))
    title = READER.run(job, NOW).title
    assert len(title) <= 300
    assert title.startswith("hello 1 2 3: xxx")


@pytest.mark.parametrize(
    ("package", "prefix"),
    [("hello", "h"), ("libfoo", "libf"), ("lib", "l"), ("liba", "liba"), ("0ad", "0")],
)
def test_the_folder_of_a_package(package: str, prefix: str) -> None:
    assert Place("testing", "amd64", package).prefix == prefix


NO_PLACES = ("", "hello", "a/b", "a/b/h", "a/b/Hello", "a/b/c/hello", "../b/hello", "a//hello")


@pytest.mark.parametrize("key", [*NO_PLACES, "a/b/he llo", "a/b/-hello", "a/b/hello\n"])
def test_keys_that_name_no_place(key: str) -> None:
    assert Place.parse(key) is None


@pytest.mark.parametrize(
    ("url", "run_id"),
    [
        (f"{HOST}/packages/h/hello/testing/amd64/12345/", "12345"),
        (f"{HOST}/packages/h/hello/testing/amd64/12345", "12345"),
        (f"{HOST}/packages/libs/libstdc++/testing/amd64/7/?x=1#y", "7"),
        (f"{HOST}/packages/h/hello/testing/amd64/#12345", "12345"),
        (f"{HOST}/user/me/retry/12345", "12345"),
        ("https://logs.example.org/x/testing/amd64/h/hello/12345/log.gz", "12345"),
        ("https://logs.example.org/x/testing/amd64/h/hello/12345/artifacts.tar.gz", "12345"),
        (f"{HOST}/packages/h/hello/testing/amd64/", None),
        (f"{HOST}/packages/h/hello/testing/amd64/2x/", None),
        (f"{HOST}/packages/h/hello/testing/amd64/007/", None),
        (f"{HOST}.evil.example/packages/h/hello/testing/amd64/1/", None),
        (f"{HOST}@evil.example/packages/h/hello/testing/amd64/1/", None),
        ("http://debci.example.org/packages/h/hello/testing/amd64/1/", None),
        ("https://logs.example.org/y/testing/amd64/h/hello/1/log.gz", None),
        ("", None),
        ("https://[", None),
    ],
)
def test_runs_in_pasted_addresses(url: str, run_id: str | None) -> None:
    assert run_id_in(url, HOST, "https://logs.example.org/x") == run_id


def test_a_link_of_ours_is_understood_when_pasted() -> None:
    run = READER.run(Job.model_validate(entry(package="libstdc++")), NOW)
    assert run.url is not None
    assert run_id_in(run.url, HOST, f"{HOST}/data/autopkgtest") == "5"


def refusals() -> list[Any]:
    """Every recorded answer that is an error: the request's method, its status, its body."""
    found = []
    for path in sorted(RECORDED.glob("3.*/*.http")):
        head, _, tail = path.read_text().partition("### response\n")
        method = head.splitlines()[1].split()[0]
        status, body = int(tail.split()[1]), tail.partition("\n\n")[2]
        if status >= 400 and path.stem != "public-log-missing":
            found.append(pytest.param(method, status, body, id=f"{path.parent.name}-{path.stem}"))
    return found


@pytest.mark.parametrize(("method", "status", "body"), refusals())
def test_every_recorded_refusal(method: str, status: int, body: str) -> None:
    kind, message = meaning(status, body, changes=method != "GET")
    if body.startswith("Invalid key"):
        assert kind is Kind.AUTH
    elif body.startswith("Job ID not known"):
        assert kind is Kind.NOT_FOUND
    elif status == 500:
        assert kind is (Kind.UNAVAILABLE if method == "GET" else None)
    else:
        assert kind is Kind.INVALID, "a 403 of the reject list is no matter of keys"
        assert message.removeprefix("debci refused: ") == " ".join(body.split())
    assert "<" not in message


def test_no_page_is_ever_shown() -> None:
    _, message = meaning(400, "<html><h1>Bad &amp; request</h1><script>x()</script>", changes=True)
    assert message == "debci refused: Bad & request"


def test_an_address_without_a_debci() -> None:
    assert meaning(404, "nothing here", changes=False)[0] is Kind.BAD_REPLY
    assert meaning(403, "<h1>Forbidden</h1>", changes=False) == (None, "")


@pytest.mark.parametrize("version", ["3.6", "3.12"])
def test_the_recorded_reject_list(version: str) -> None:
    listing = json.loads((RECORDED / version / "reject-list.json").read_text())
    here = Place("testing", "amd64", "blocked-here")
    assert reason_against(here, listing) == "example: blocked in one place only"
    assert reason_against(replace(here, suite="unstable"), listing) is None
    assert reason_against(replace(here, arch="i386"), listing) is None
    everywhere = Place("stable", "i386", "blocked-everywhere")
    assert reason_against(everywhere, listing) == "example: blocked everywhere"
    assert reason_against(replace(here, package="hello"), listing) is None


def test_wildcards_and_versions_in_the_reject_list() -> None:
    here = Place("testing", "amd64", "hello")
    assert reason_against(here, {"hel*": {"testing": {"amd64": {"*": None}}}}) == ""
    assert reason_against(here, {"hel*": {"*": {"*": {"*": "<a href='x'>why</a>"}}}}) == "why"
    assert reason_against(here, {"hello": {"testing": {"amd64": {"1.0": "old"}}}}) is None
    by_name = {"hello": {"stable": {}}, "h*": {"testing": {"amd64": {"*": ""}}}}
    assert reason_against(here, by_name) is None, "wildcards are for packages not named"
    assert reason_against(here, []) is None


@pytest.mark.parametrize(
    ("text", "pins"),
    [
        ("src:foo,unstable", (("src:foo", "unstable"),)),
        (" foo , src:bar , unstable ", (("foo", "src:bar", "unstable"),)),
        ("src:a,unstable; b,experimental;", (("src:a", "unstable"), ("b", "experimental"))),
        ('[["src:foo", "unstable"]]', (("src:foo", "unstable"),)),
        ('[["foo,src:bar", "unstable"]]', (("foo,src:bar", "unstable"),)),
        ("", ()),
        ("[]", ()),
    ],
)
def test_pins_as_text_and_as_json(text: str, pins: tuple[tuple[str, ...], ...]) -> None:
    assert TriggerParameters.model_validate({"pin-packages": text}).pin_packages == pins


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", "0"),
        ("priority", "11"),
        ("priority", "high"),
        ("is_private", "maybe"),
        ("pin-packages", "unstable"),
        ("pin-packages", "src:a,unstable;b,unstable"),
        ("pin-packages", '["src:a", "unstable"]'),
        ("pin-packages", '[["src:a", 5]]'),
        ("pin-packages", "[["),
        ("pin-packages", '[["a extra-apt-source:eA==", "unstable"]]'),
        ("extra-apt-sources", "a b"),
        ("trigger", "x" * 201),
        ("suite", "testing"),
    ],
)
def test_parameters_that_debci_would_refuse(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TriggerParameters.model_validate({name: value})
    first = caught.value.errors()[0]
    assert first["loc"][0] == name, "the parameter is named as people typed it"


def test_nothing_given_is_nothing_sent() -> None:
    blank = dict.fromkeys(("priority", "pin-packages", "is_private", "trigger"), " ")
    form = form_of(Place("a", "b", "hello"), TriggerParameters.model_validate(blank), "t")
    assert form == {"tests": '[{"package": "hello", "trigger": "t"}]'}


def test_a_full_form() -> None:
    parameters = TriggerParameters.model_validate(
        {
            "priority": "3",
            "pin-packages": "src:foo,unstable",
            "is_private": "true",
            "trigger": "new\x00 glibc\n",
            "extra-apt-sources": "one, two",
        }
    )
    text = trigger_text(parameters, REQUEST)
    assert text == "new glibc slack/U123/mark-1"
    form = form_of(Place("a", "b", "hello"), parameters, text)
    assert form.pop("priority") == "3"
    assert json.loads(form.pop("tests")) == [
        {
            "package": "hello",
            "trigger": text,
            "pin-packages": [["src:foo", "unstable"]],
            "is_private": True,
            "extra-apt-sources": ["one", "two"],
        }
    ]
    assert form == {}


def test_a_false_privacy_is_said() -> None:
    parameters = TriggerParameters(is_private=False)
    form = form_of(Place("a", "b", "hello"), parameters, "t")
    assert json.loads(form["tests"])[0]["is_private"] is False


def test_the_settings_keep_the_key_to_themselves() -> None:
    settings = DebciSettings.model_validate({"token": "canary-5d1f"})
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.base_url == "https://ci.debian.net"
    with pytest.raises(ValidationError) as caught:
        DebciSettings.model_validate({"token": "canary 5d1f", "give_up_h": 0})
    assert "canary" not in str(caught.value)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def waiting(run_id: int, created: float | None, seen: float = 0.0) -> OpenRun:
    return OpenRun(str(run_id), at(seen), None if created is None else at(created))


TEN_MINUTES = timedelta(minutes=10)
TWO_DAYS = timedelta(days=2)


def test_the_mark_at_first_and_after_an_unreadable_cursor() -> None:
    for cursor in ("", "junk", "{}", "[1]", '{"until": "soon"}'):
        assert Mark.read(cursor, at(5000)) == Mark(until=5000)
    mark = Mark(until=7, given_up=("1",))
    assert Mark.read(mark.model_dump_json(), at(5000)) == mark


def test_since_reaches_back_to_the_oldest_pending_run() -> None:
    mark = Mark(until=10_000, given_up=("9",))
    assert mark.since((), TEN_MINUTES) == 9_400
    assert mark.since((waiting(1, 9_900),), TEN_MINUTES) == 9_400
    assert mark.since((waiting(1, 8_000.9), waiting(2, 9_000)), TEN_MINUTES) == 7_995
    assert mark.since((waiting(1, None, seen=9_000),), TEN_MINUTES) == 8_395
    assert mark.since((waiting(9, 100),), TEN_MINUTES) == 9_400, "a run that was given up"
    assert Mark(until=3).since((), TEN_MINUTES) == 0, "never negative: 500 is the answer to that"


def test_the_mark_never_goes_back_nor_ahead_of_us() -> None:
    mark = Mark(until=10_000)
    for until_, expected in ((0, 10_000), (9_000, 10_000), (10_001, 10_001), (10**15, 20_800)):
        assert mark.raised(until_, (), at(20_800), TWO_DAYS).until == expected
    assert Mark(until=10**15).raised(0, (), at(20_800), TWO_DAYS).until == 20_800


def test_a_run_is_given_up_only_after_it_was_asked_for_once_more() -> None:
    old = (waiting(1, 0), waiting(2, 100_000))
    mark = Mark(until=200_000)
    assert mark.since(old, TEN_MINUTES) == 0
    mark = mark.raised(0, old, at(180_000), TWO_DAYS)
    assert mark.given_up == ("1",)
    assert mark.since(old, TEN_MINUTES) == 99_995
    assert mark.raised(0, old[1:], at(180_000), TWO_DAYS).given_up == ()


def follow(runs: list[StandinRun], version: Any, *, polls: int, every_s: float) -> set[int]:
    """Polls a server of that version and returns the runs whose result was seen."""
    mark = Mark(until=0)
    open_runs: dict[int, OpenRun] = {}
    over: set[int] = set()
    for number in range(polls):
        now = number * every_s
        asked = mark.since(tuple(open_runs.values()), timedelta(0))
        shown = listing([r for r in runs if r.created <= now], asked, now, version)
        for run in shown:
            if run.is_over(now):
                over.add(run.run_id)
                open_runs.pop(run.run_id, None)
            else:
                open_runs.setdefault(run.run_id, waiting(run.run_id, run.created, now))
        mark = mark.raised(until(shown), tuple(open_runs.values()), at(now), TWO_DAYS)
    return over


def standin_runs(plans: list[tuple[int, int, int]]) -> list[StandinRun]:
    created, runs = 0, []
    for number, (gap, duration, late) in enumerate(plans, 1):
        created += gap
        outcome = Outcome(duration_s=duration, late_by_s=late)
        runs.append(StandinRun(number, "u", "hello", "a", "b", float(created), outcome, 1, 1))
    return runs


PLANS = st.lists(st.tuples(*[st.integers(0, 400)] * 3), min_size=1, max_size=12)


@pytest.mark.parametrize("version", ["3.6", "3.12"])
@given(plans=PLANS, every_s=st.integers(1, 200))
def test_no_result_slips_by(version: Any, plans: list[tuple[int, int, int]], every_s: int) -> None:
    runs = standin_runs(plans)
    ends = max(run.arrives for run in runs)
    polls = int(ends // every_s) + 3
    assert follow(runs, version, polls=polls, every_s=every_s) == {r.run_id for r in runs}


def test_chaining_since_to_until_would_lose_a_late_result() -> None:
    """The case the mark is for: what the page tells of 3.12, and that 3.6 is not like it."""
    late, newer = standin_runs([(0, 10, 30), (20, 5, 0)])
    since = until([late, newer])
    assert late not in listing([late, newer], since, 100, "3.12")
    assert late in listing([late, newer], since, 100, "3.6")
