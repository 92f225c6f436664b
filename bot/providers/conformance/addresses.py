"""Ids, keys and URLs from people, and hosts that are not the vendor's."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from bot.domain.errors import ConfigError, Kind
from bot.providers.conformance.bench import CHANGES, READS, Bench, Call, report
from bot.providers.conformance.front import Front, answer
from bot.providers.conformance.odd import HOSTILE_IDS, HOSTILE_KEYS
from bot.providers.conformance.rig import Rig

_REFUSED = {Kind.NOT_FOUND, Kind.INVALID}
_MOVED = (301, 302, 303, 307, 308)


class Addresses:
    @pytest.fixture
    def elsewhere(self) -> Iterator[Front]:
        """Another host, which must never hear of us."""
        with Front() as front:
            yield front

    @pytest.mark.parametrize("name", ["get", "steps", "tests", "log"])
    def test_hostile_ids_are_refused_and_nothing_is_sent(self, bench: Bench, name: str) -> None:
        bench.need(name)
        wrong = []
        for what, run_id in HOSTILE_IDS.items():
            outcome = bench.tried(name, _of_run(name, run_id))
            if outcome.kind not in _REFUSED or outcome.sent:
                wrong.append(f"{what}: {outcome}")
        report(wrong)

    @pytest.mark.parametrize("name", ["find_pipeline", "recent", "trigger"])
    def test_hostile_keys_lead_nowhere_else(self, bench: Bench, name: str) -> None:
        bench.need(name)
        wrong = []
        for what, key in HOSTILE_KEYS.items():
            outcome = bench.tried(name, _of_key(bench, name, key))
            stray = [
                r.line for r in outcome.sent if _is_stray(r.target) or "x-injected" in r.headers
            ]
            wrong += [f"{what}: {line}" for line in stray]
            if name == "trigger" and (outcome.error is None or bench.changes(outcome.sent)):
                wrong.append(f"{what}: {outcome}")
        report(wrong)

    def test_hostile_sources_are_harmless(self, bench: Bench) -> None:
        for key in HOSTILE_KEYS.values():
            try:
                sources = bench.provider().sources(key)
            except ConfigError:
                continue
            assert all(isinstance(one, str) for one in sources)

    @pytest.mark.parametrize("name", [*READS, *CHANGES])
    def test_redirects_are_not_followed(self, bench: Bench, elsewhere: Front, name: str) -> None:
        wrong = []
        for status in _MOVED:
            moved = answer(status, b"", {"Location": f"{elsewhere.url}/moved?to=here"})
            outcome = bench.tried(name, bench.call(name), moved)
            if outcome.sent and outcome.error is None:
                wrong.append(f"{status}: {outcome}")
        report(wrong)
        assert not elsewhere.received, "the credential may have gone to another host"

    def test_proxies_and_netrc_files_are_not_used(
        self, bench: Bench, elsewhere: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login netrc-user password netrc-password\n")
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere.url)
        outcome = bench.tried("check", bench.call("check"))
        assert outcome.error is None, str(outcome)
        assert not elsewhere.received

    def test_the_page_of_a_run_leads_back_to_it(self, rig: Rig, bench: Bench) -> None:
        run = bench.read(rig.add_run(rig.passed_word))
        if run.url is None:
            pytest.skip("runs of this provider have no page")
        found = bench.provider().run_id_in(run.url)
        assert found, run.url
        assert re.fullmatch(rig.spec.id_pattern, found)
        assert bench.read(found).ref == run.ref, "it may be another id of the same run"

    def test_addresses_of_others_are_not_taken_for_ours(self, rig: Rig, bench: Bench) -> None:
        run = bench.read(rig.add_run(rig.passed_word))
        if run.url is None:
            pytest.skip("runs of this provider have no page")
        provider = bench.provider()
        bench.front.behave()
        taken = [url for url in _likenesses(run.url) if provider.run_id_in(url) is not None]
        assert not taken
        assert not bench.front.received, "run_id_in asks nobody"


def _of_run(name: str, run_id: str) -> Call:
    def call(provider: Any, deadline: Any) -> Any:
        more = (None,) if name == "log" else ()
        return getattr(provider, name)(run_id, *more, deadline)

    return call


def _of_key(bench: Bench, name: str, key: str) -> Call:
    def call(provider: Any, deadline: Any) -> Any:
        if name == "trigger":
            request = bench.request()
            changed = type(request)(
                key, request.parameters, request.variables, request.mark, request.requester
            )
            return provider.trigger(changed, deadline)
        more = (5,) if name == "recent" else ()
        try:
            return getattr(provider, name)(key, *more, deadline)
        except ConfigError:  # nothing can be listed by that
            return ()

    return call


def _is_stray(target: str) -> bool:
    """Whether a path leaves its place by dots, or carries what is no text."""
    path = target.partition("?")[0]
    segments = [unquote(one) for one in path.split("/")]
    return any(one in {".", ".."} or not one.isprintable() for one in segments) or "#" in target


def _likenesses(url: str) -> list[str]:
    """Addresses that look like ours and are not."""
    parts = urlsplit(url)
    hosts = [f"{parts.netloc}.example.org", f"example.org:{parts.port or 443}", "example.org"]
    hosts += [f"{parts.netloc}@example.org", f"{parts.netloc}%2eexample.org"]
    alike = [urlunsplit(parts._replace(netloc=host)) for host in hosts]
    alike += [f"https://example.org/?{url}", f"https://example.org/#{url}", f"{url[:8]}x{url[8:]}"]
    alike += [urlunsplit(parts._replace(scheme="javascript")), f"x{url}", "", "http://[", "\x00"]
    alike += [f"http://{'a' * 100_000}", urlunsplit(parts._replace(path="/", fragment=""))]
    return alike
