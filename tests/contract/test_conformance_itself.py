"""The conformance suite can fail: each of its tests, for a provider that is broken that way."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import BaseModel, Field, field_validator

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import BuildContext, Capability, Observation, Started
from bot.domain.statuses import Status
from bot.net import HttpClient
from bot.providers.conformance import ProviderConformance, Rig
from bot.providers.conformance.bench import Bench
from bot.providers.conformance.front import Front

EXAMPLE = Path(__file__).parents[1] / "fixtures" / "bot_provider_example"
Break = Callable[[pytest.MonkeyPatch, Any], None]
log = logging.getLogger("bot_provider_tidepool")


@pytest.fixture
def tidepool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The example's module, to be broken."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(EXAMPLE / "tests"))
    yield import_module("bot_provider_tidepool")
    for name in ("fake_tidepool", "bot_provider_tidepool"):
        sys.modules.pop(name, None)


def rig_of(module: Any, fake: Any, token: str) -> Rig:
    return Rig(
        spec=module.SPEC,
        url=fake.url,
        settings=lambda url: {"base_url": url, "token": token},
        secrets=(token,),
        pipeline="shop",
        parameters={"branch": "main", "depth": "3"},
        statuses=dict(module.STATUSES),
        add_run=fake.add_run,
        set_status=fake.set_state,
        page_length=20,
    )


def wrapped(name: str, around: Callable[..., Any]) -> Break:
    """Puts something round one call of the provider: `around(call, provider, *arguments)`."""

    def breaking(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        call = getattr(module.Tidepool, name)
        monkeypatch.setattr(module.Tidepool, name, lambda self, *a: around(call, self, *a))

    return breaking


def spec(**fields: Any) -> Break:
    def breaking(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        monkeypatch.setattr(module, "SPEC", replace(module.SPEC, **fields))

    return breaking


def client(**changes: Any) -> Break:
    """Replaces what the provider's HTTP client does: `name=around(call, client, …)`."""

    def breaking(monkeypatch: pytest.MonkeyPatch, _module: Any) -> None:
        for name, around in changes.items():
            call = getattr(HttpClient, name)
            monkeypatch.setattr(
                HttpClient, name, lambda self, *a, _c=call, _w=around, **k: _w(_c, self, *a, **k)
            )

    return breaking


def swallowing(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except ProviderError as error:
        raise ProviderError(Kind.INVALID, "Something is wrong.") from error


def twice(call: Any, *arguments: Any) -> Any:
    call(*arguments)
    return call(*arguments)


def stubborn(call: Any, *arguments: Any) -> Any:
    """Tries a change again when in doubt."""
    try:
        return call(*arguments)
    except ProviderError as error:
        if error.kind is not Kind.AMBIGUOUS:
            raise
        return call(*arguments)


def careless(call: Any, *arguments: Any) -> Any:
    """Says that nothing was done, when that is not known."""
    try:
        return call(*arguments)
    except ProviderError as error:
        kind = Kind.UNAVAILABLE if error.kind is Kind.AMBIGUOUS else error.kind
        raise ProviderError(kind, error.message) from None


def plain_requests(_call: Any, self: Any, method: str, *segments: str, **_: Any) -> Any:
    """As one does without thinking: redirects, proxies and all. Never ends by itself."""
    url = "/".join([str(self._address.origin), *segments])
    headers = {"Authorization": self._auth._secret}
    return requests.request(method, url, headers=headers, timeout=3)


def with_changes(call: Any, self: Any, *arguments: Any, **options: Any) -> Any:
    return call(self, *arguments, **(options | {"changes": True}))


def without_pages(call: Any, self: Any, source: str, before: Any, deadline: Any) -> Any:
    return call(self, source, None, deadline) if before is None else ([], 0)


def forgetful(call: Any, self: Any, source: str, cursor: str, _open: Any, deadline: Any) -> Any:
    return call(self, source, cursor, (), deadline)


def remembering_itself(call: Any, self: Any, source: str, cursor: str, *rest: Any) -> Any:
    """Shows a run once only, and keeps in the instance what it has shown."""
    seen = call(self, source, cursor, *rest)
    known = self.__dict__.setdefault("shown", set())
    fresh = tuple(run for run in seen.runs if run not in known)
    known.update(seen.runs)
    return replace(seen, runs=fresh)


def strict(call: Any, self: Any, *arguments: Any) -> Any:
    seen = call(self, *arguments)
    bad = seen.bad_items if isinstance(seen, Observation) else seen[1]
    if bad:
        raise ProviderError(Kind.BAD_REPLY, "A bad item.")
    return seen


def chatty(call: Any, self: Any, *arguments: Any) -> Any:
    self.check(arguments[-1])
    return call(self, *arguments)


def by_path(_call: Any, _self: Any, url: str) -> Any:
    return url.rpartition("/runs/")[2] or None


def trusting(_call: Any, self: Any, run_id: str, deadline: Any) -> Any:
    reply = self._http.request("GET", "v1", "runs", run_id, deadline=deadline)
    return self._run(sys.modules["bot_provider_tidepool"]._read(reply))


def telling(call: Any, self: Any, deadline: Any) -> Any:
    log.warning("asking with %s", self._http._auth._secret)
    return call(self, deadline)


def repeating(call: Any, self: Any, *arguments: Any) -> Any:
    try:
        return call(self, *arguments)
    except ProviderError as error:
        raise ProviderError(error.kind, f"{error.message} {self._http._auth._secret}") from None


def one_at_a_time(call: Any, self: Any, *arguments: Any) -> Any:
    lock = self.__dict__.setdefault("lock", threading.Lock())
    if not lock.acquire(blocking=False):
        raise ProviderError(Kind.CONFLICT, "Busy.")
    try:
        return call(self, *arguments)
    finally:
        lock.release()


def always(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def none_but_known(call: Any, self: Any, *arguments: Any) -> Any:
    run = call(self, *arguments)
    if run.status is Status.UNKNOWN:
        raise KeyError(run.raw_status)
    return run


def wrong_word(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setitem(module.STATUSES, "low", Status.PASSED)


class Loose(BaseModel):
    """Parameters without descriptions that take anything."""

    branch: str | None = None
    depth: int | None = None


class Open(BaseModel):
    """Settings as one writes them without thinking."""

    model_config = {"extra": "allow"}
    token: str
    base_url: str = Field(default="http://tidepool.example.org")
    requests_per_minute: int = 6000
    timeout_s: float = 60.0


def old_settings(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    class Secret(str):
        __slots__ = ()

        def get_secret_value(self) -> str:
            return str(self)

    def build(context: BuildContext) -> Any:
        values = context.settings.model_dump()
        model = Open.model_construct(**(values | {"token": Secret(values["token"])}))
        return module.Tidepool(replace(context, settings=model))

    monkeypatch.setattr(module, "SPEC", replace(module.SPEC, settings=Open, build=build))


class Telling(Open):
    """A validator that repeats what it was given."""

    @field_validator("token")
    @classmethod
    def _told(cls, value: str) -> str:
        raise ValueError(f"{value} is no token")


def unending(run: Any) -> Any:
    """Ends before it begins."""
    return replace(run, finished=run.created.replace(year=1971))


def telling_parameter(value: str) -> Break:
    told = (("depth", value),)
    return wrapped("_run", lambda c, s, r: replace(c(s, r), parameters=told))


def telling_failure(name: str) -> Break:
    return wrapped("_run", lambda c, s, r: replace(c(s, r), failing=(name,)))


def raising(*_: Any) -> Any:
    raise ValueError


READ_ALL = wrapped("get", none_but_known)
BROKEN: list[tuple[str, dict[str, Any], Break]] = [
    ("declared_capabilities_are_the_implemented_ones", {},
     spec(capabilities=frozenset({Capability.GET}))),
    ("every_missing_capability_has_a_sentence_that_says_so", {}, spec(refusals={})),
    ("names_and_forms_are_fit_for_people", {}, spec(pipeline_form=" ")),
    ("id_pattern_takes_real_ids_and_no_hostile_ones", {}, spec(id_pattern=r"\d+")),
    ("id_pattern_takes_real_ids_and_no_hostile_ones", {}, spec(id_pattern="[a-z]+")),
    ("every_trigger_parameter_is_described", {}, spec(trigger=Loose)),
    ("trigger_parameters_are_checked", {}, spec(trigger=Loose)),
    ("the_bare_word_fills_a_parameter_that_exists", {}, spec(bare_parameter="brunch")),
    ("secret_settings_are_secret", {}, spec(settings=Open)),
    ("only_credentials_must_be_set", {}, spec(settings=Open)),
    ("unknown_settings_are_refused_by_name", {}, old_settings),
    ("plain_http_is_for_this_machine_only", {}, old_settings),
    ("no_instance_shows_its_secrets", {}, old_settings),
    ("no_complaint_about_settings_shows_a_value", {}, spec(settings=Telling)),
    ("hostile_sources_are_harmless", {}, wrapped("sources", raising)),
    ("every_status_word_means_what_the_author_says", {}, wrong_word),
    ("lists_and_polls_tell_the_same_status", {}, wrapped("recent", always(()))),
    ("the_table_has_words_for_passed_failed_and_under_way", {}, wrapped("check", always(None))),
    ("an_unknown_word_is_harmless", {}, READ_ALL),
    ("a_run_is_told_in_full", {}, wrapped("_run", lambda c, s, r: unending(c(s, r)))),
    ("parameters_are_short_and_tell_no_secret", {}, telling_parameter("x" * 101)),
    ("parameters_are_short_and_tell_no_secret", {}, telling_parameter("")),
    ("parameters_are_short_and_tell_no_secret", {}, telling_parameter("canary-tidepool-token")),
    ("what_failed_is_told_in_short_names", {}, telling_failure("x" * 201)),
    ("what_failed_is_told_in_short_names", {}, telling_failure("")),
    ("what_failed_is_told_in_short_names", {}, telling_failure("canary-tidepool-token")),
    ("hostile_ids_are_refused_and_nothing_is_sent", {"name": "get"}, wrapped("get", trusting)),
    ("hostile_keys_lead_nowhere_else", {"name": "trigger"},
     wrapped("find_pipeline", lambda c, s, k, d: replace(c(s, "shop", d)))),
    ("redirects_are_not_followed", {"name": "check"}, client(request=plain_requests)),
    ("proxies_and_netrc_files_are_not_used", {}, client(request=plain_requests)),
    ("the_page_of_a_run_leads_back_to_it", {}, wrapped("run_id_in", always(None))),
    ("addresses_of_others_are_not_taken_for_ours", {}, wrapped("run_id_in", by_path)),
    ("the_credential_is_proven", {}, wrapped("check", always(None))),
    ("every_status_is_told_as_what_it_means", {"name": "get"}, wrapped("get", swallowing)),
    ("odd_bodies_are_bad_replies", {"name": "get"}, wrapped("get", swallowing)),
    ("a_fault_in_the_middle_is_a_provider_error", {"name": "get"}, client(request=plain_requests)),
    ("the_vendor_says_how_long_to_wait", {"status": 429, "what": "seconds"},
     wrapped("check", swallowing)),
    ("while_the_vendor_wants_quiet_nothing_is_sent", {},
     client(_check_pause=lambda *_: None)),
    ("a_read_is_tried_once_more", {"name": "get", "fault": "503"}, client(request=with_changes)),
    ("a_read_is_not_tried_for_ever", {"name": "get"},
     wrapped("get", lambda c, *a: [_quiet(c, *a) for _ in range(3)][-1])),
    ("a_read_ends_at_its_deadline", {"name": "get", "fault": "silent"},
     client(request=plain_requests)),
    ("a_vendor_that_is_not_there_is_unavailable", {"name": "get"}, wrapped("get", swallowing)),
    ("no_error_shows_what_the_vendor_echoes", {"name": "get"}, wrapped("get", repeating)),
    ("a_change_is_sent_and_told", {"name": "trigger"}, wrapped("trigger", twice)),
    ("a_change_is_sent_and_told", {"name": "trigger"}, wrapped("trigger", always(Started(None)))),
    ("a_change_is_sent_once_whatever_the_status", {"name": "trigger"},
     wrapped("trigger", stubborn)),
    ("an_unreadable_answer_leaves_a_doubt", {"name": "trigger"}, wrapped("trigger", careless)),
    ("a_lost_answer_leaves_a_doubt", {"name": "trigger", "fault": "reply lost"},
     wrapped("trigger", careless)),
    ("a_lost_answer_leaves_a_doubt", {"name": "abort", "fault": "dropped"},
     wrapped("abort", stubborn)),
    ("a_change_ends_at_its_deadline_in_doubt", {"name": "trigger", "fault": "silent"},
     wrapped("trigger", careless)),
    ("where_nobody_listens_nothing_was_done", {"name": "trigger"}, wrapped("trigger", swallowing)),
    ("each_request_starts_a_run_of_its_own", {},
     wrapped("trigger", lambda c, s, r, d: replace(c(s, r, d), run=s.get("1", d)))),
    ("a_run_that_is_over_is_not_aborted", {},
     wrapped("abort", lambda c, s, r, d: replace(r, status=Status.ABORTED))),
    ("a_run_is_seen_from_start_to_end", {}, wrapped("observe", always(Observation((), "")))),
    ("a_run_that_comes_and_fails_between_two_polls_is_seen", {},
     wrapped("observe", lambda c, s, q, k, o, d: replace(
         c(s, q, k, o, d), runs=tuple(r for r in c(s, q, k, o, d).runs if not r.is_over)))),
    ("open_runs_are_followed_off_the_first_page", {}, wrapped("observe", forgetful)),
    ("more_new_runs_than_a_page_holds_are_all_seen", {}, wrapped("_page", without_pages)),
    ("what_failed_before_the_first_poll_is_seen", {}, wrapped("_page", without_pages)),
    ("a_late_result_is_not_lost", {},
     wrapped("observe", lambda c, s, q, k, o, d: replace(c(s, q, k, (), d), runs=tuple(
         r for r in c(s, q, k, (), d).runs if int(r.ref.run_id) > int(k or 0))))),
    ("a_result_is_not_lost_over_a_restart", {}, wrapped("observe", always(Observation((), "")))),
    ("a_cursor_that_is_not_ours_is_harmless", {},
     wrapped("observe", lambda c, s, q, k, o, d: c(s, q, str(int(k or 0)), o, d))),
    ("a_quiet_poll_is_cheap", {}, wrapped("observe", chatty)),
    ("a_bad_item_does_not_spoil_the_others", {}, wrapped("_page", strict)),
    ("an_open_run_that_is_gone_does_not_spoil_the_others", {},
     wrapped("_follow", lambda c, s, i, r, d: r.update({i: s.get(i, d)}) or 0)),
    ("recent_runs_come_newest_first_and_no_more_than_asked", {},
     wrapped("recent", lambda c, *a: c(*a)[::-1])),
    ("the_pipeline_of_the_rig_is_found_and_can_be_watched", {}, wrapped("sources", always(()))),
    ("eight_threads_may_read_at_once", {}, wrapped("get", one_at_a_time)),
    ("eight_threads_start_eight_runs", {}, wrapped("trigger", one_at_a_time)),
]  # fmt: skip


def _quiet(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except ProviderError:
        return None


@pytest.mark.parametrize(
    ("name", "given", "breaking"), BROKEN, ids=[f"{i}-{b[0]}" for i, b in enumerate(BROKEN)]
)
def test_it_fails_for_a_provider_that_is_broken_so(
    tidepool: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    given: dict[str, Any],
    breaking: Break,
    request: pytest.FixtureRequest,
) -> None:
    words = dict(tidepool.STATUSES)
    if name == "the_table_has_words_for_passed_failed_and_under_way":
        del words["low"], words["spilled"]
    breaking(monkeypatch, tidepool)
    with pytest.raises(
        (AssertionError, pytest.fail.Exception, ValueError, LookupError, ProviderError)
    ):
        tried(tidepool, words, name, given, request)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BROKEN}))
def test_it_passes_for_one_that_is_not(
    tidepool: Any, name: str, request: pytest.FixtureRequest
) -> None:
    given = next(given for one, given, _ in BROKEN if one == name)
    tried(tidepool, dict(tidepool.STATUSES), name, given, request)


def test_every_test_of_the_suite_is_among_them() -> None:
    names = {one.removeprefix("test_") for one in dir(ProviderConformance) if one[:5] == "test_"}
    elsewhere = {
        "skips_name_tests_that_exist_and_give_reasons",
        "a_login_may_fare_as_badly",
        "memory_stays_small",
    }
    assert names - elsewhere == {name for name, _, _ in BROKEN}


def test_a_secret_in_the_log_is_found(
    tidepool: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrapped("check", telling)(monkeypatch, tidepool)
    fakes = import_module("fake_tidepool")
    with fakes.FakeTidepool() as fake, Front(fake.url) as front:
        bench = Bench(rig_of(tidepool, fake, fakes.TOKEN), front)
        bench.tried("check", bench.call("check"))
        with pytest.raises(pytest.fail.Exception, match="a secret is seen in the log"):
            bench.check_hidden(caplog.text, "the log")


def tried(
    module: Any, words: Any, name: str, given: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """One test of the suite, on the example as it now is."""
    suite, fakes = ProviderConformance(), import_module("fake_tidepool")
    with fakes.FakeTidepool() as fake, Front(fake.url) as front, Front() as elsewhere:
        rig = replace(rig_of(module, fake, fakes.TOKEN), statuses=words)
        bench = Bench(rig, front)
        known = {"rig": rig, "bench": bench, "elsewhere": elsewhere, **given}
        test = getattr(suite, f"test_{name}")
        wanted = test.__code__.co_varnames[1 : test.__code__.co_argcount]
        test(**{one: _value(one, known, bench, request) for one in wanted})


def _value(name: str, known: dict[str, Any], bench: Bench, request: pytest.FixtureRequest) -> Any:
    if name == "watcher":
        return import_module("bot.providers.conformance.polls").Watcher(bench)
    return known[name] if name in known else request.getfixturevalue(name)
