"""debci without a key: pages for people, logs, and the public data files in simple form."""

import gzip
import html
import io
import json
import tarfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.clock import utc
from bot.playground.vendors import base
from bot.playground.vendors.debci_model import Run, Status, by_place, human, prefix, run_json

if TYPE_CHECKING:
    from bot.playground.vendors.debci import DebciStandin

STATES: tuple[Status, ...] = ("pass", "fail", "neutral", "tmpfail")
ARTIFACT = b"sample artifact\n"


class Pages:
    def __init__(self, standin: "DebciStandin") -> None:
        self._standin = standin

    def add_to(self, router: web.UrlDispatcher) -> None:
        package = "/packages/{prefix}/{package}"
        place = f"{package}/{{suite}}/{{arch}}"
        data = "/data/autopkgtest/{suite}/{arch}/{prefix}/{package}/{run_id:[0-9]+}"
        for path, handler in (
            (f"{package}/", self._package),
            (f"{place}/", self._history),
            (f"{place}/{{run_id:[0-9]+}}/", self._run),
            (f"{data}/log.gz", self._log),
            (f"{data}/artifacts.tar.gz", self._artifacts),
            ("/data/status/{suite}/{arch}/packages.json", self._packages_json),
            ("/data/status/{suite}/{arch}/status.json", self._status_json),
            ("/data/status/{suite}/{arch}/history.json", self._history_json),
            ("/data/feeds/{prefix}/{package}.xml", self._feed),
            ("/status/{kind:pending|failing|alerts}/", self._status_page),
            ("/user/{user}/{rest:.*}", self._login),
            ("/doc", self._doc),
        ):
            router.add_get(path, handler)
        for path in (package, place, f"{place}/{{run_id:[0-9]+}}", "/status/{kind}"):
            router.add_get(path, self._add_slash)
        router.add_route("*", "/{rest:.*}", self._missing)

    async def _package(self, request: web.Request) -> web.Response:
        runs = self._asked(request, ("package",))
        return self._table(request.match_info["package"], runs)

    async def _history(self, request: web.Request) -> web.Response:
        info = request.match_info
        runs = self._asked(request, ("package", "suite", "arch"))
        return self._table(f"{info['package']} on {info['suite']}/{info['arch']}", runs)

    async def _run(self, request: web.Request) -> web.Response:
        run = self._one(request)
        if self._standin.version == "3.6" or run is None or run.is_private:
            return await self._missing(request)
        lines = [_line(run, self._now)]
        lines += log_lines(run) if self._has_log(run) else ["No log yet."]
        return page(f"{run.package} run {run.run_id}", lines)

    async def _status_page(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        wanted = {"pending": None, "failing": "fail", "alerts": "tmpfail"}[kind]
        runs = [run for run in self._standin.runs if not run.is_private]
        shown = [run for run in runs if self._standin.status(run.run_id) == wanted]
        return self._table(f"Status: {kind}", shown)

    async def _login(self, _request: web.Request) -> web.Response:
        return page("Log in", ["A person has to log in here."])

    async def _doc(self, _request: web.Request) -> web.Response:
        return page("debci API", [f"A stand-in for debci {self._standin.version}."])

    async def _add_slash(self, request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"{request.rel_url.raw_path}/")

    async def _missing(self, request: web.Request) -> web.Response:
        """Answer 404: a line of text in 3.6's static files, a page of HTML in 3.12."""
        if request.path.startswith("/data/") and self._standin.version == "3.6":
            text = f"Not Found: {request.path}"
            headers = {"Content-Type": "text/plain", "X-Cascade": "pass"}
            return web.Response(status=404, body=text.encode(), headers=headers)
        return page("Not found", ["There is no such page."], 404)

    async def _log(self, request: web.Request) -> web.Response:
        run = self._one(request)
        if run is None or not self._has_log(run):
            return await self._missing(request)
        body = gzip.compress("".join(f"{line}\n" for line in log_lines(run)).encode(), mtime=0)
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        return web.Response(body=body, headers=headers)

    async def _artifacts(self, request: web.Request) -> web.Response:
        run = self._one(request)
        if run is None or not self._has_log(run):
            return await self._missing(request)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            entry = tarfile.TarInfo("summary")
            entry.size = len(ARTIFACT)
            archive.addfile(entry, io.BytesIO(ARTIFACT))
        return web.Response(body=buffer.getvalue(), content_type="application/gzip")

    async def _packages_json(self, request: web.Request) -> web.Response:
        now, version = self._now, self._standin.version
        places = by_place(self._standin.runs)
        return _pretty([run_json(run, places, now, version) for run in self._latest(request)])

    async def _status_json(self, request: web.Request) -> web.Response:
        return _pretty(self._totals(request))

    async def _history_json(self, request: web.Request) -> web.Response:
        return _pretty([self._totals(request)])

    async def _feed(self, request: web.Request) -> web.Response:
        package = request.match_info["package"]
        runs = [run for run in self._standin.runs if run.package == package]
        if not runs:
            return await self._missing(request)
        address = f"{request.scheme}://{request.host}"
        text = feed(package, changes(runs, self._now)[:10], address)
        return web.Response(body=text.encode(), content_type="application/xml")

    @property
    def _now(self) -> float:
        return self._standin.clock.time()

    def _asked(self, request: web.Request, keys: tuple[str, ...]) -> list[Run]:
        info = request.match_info
        return [
            run
            for run in self._standin.runs
            if not run.is_private
            and info["prefix"] == prefix(run.package)
            and all(getattr(run, key) == info[key] for key in keys)
        ]

    def _one(self, request: web.Request) -> Run | None:
        info = request.match_info
        wanted = (info["package"], info["suite"], info["arch"], int(info["run_id"]))
        for run in self._standin.runs:
            if (run.package, run.suite, run.arch, run.run_id) == wanted:
                return run if info["prefix"] == prefix(run.package) else None
        return None

    def _has_log(self, run: Run) -> bool:
        return run.outcome is not None and run.is_over(self._now)

    def _table(self, title: str, runs: Iterable[Run]) -> web.Response:
        rows = [_line(run, self._now) for run in sorted(runs, key=lambda run: -run.run_id)]
        return page(title, rows or ["No runs."])

    def _latest(self, request: web.Request) -> list[Run]:
        """List the latest public, unpinned, finished run of each package."""
        info, latest = request.match_info, dict[str, Run]()
        for run in sorted(self._standin.runs, key=lambda run: (run.arrives, run.run_id)):
            here = (run.suite, run.arch) == (info["suite"], info["arch"])
            if here and not run.is_private and not run.pins and run.is_over(self._now):
                latest[run.package] = run
        return list(latest.values())

    def _totals(self, request: web.Request) -> dict[str, Any]:
        found = [run.status for run in self._latest(request)]
        totals: dict[str, Any] = {state: found.count(state) for state in STATES}
        return totals | {"total": len(found), "date": f"{utc(self._now):%Y-%m-%dT%H:%M:%S}"}


def page(title: str, lines: Iterable[str], status: int = 200) -> web.Response:
    reply = base.page(title, lines, status)
    reply.headers["Content-Type"] = "text/html;charset=utf-8"
    return reply


def _line(run: Run, now: float) -> str:
    state = run.status if run.is_over(now) else "pending"
    return f"{run.run_id}: {run.package} on {run.suite}/{run.arch}: {state}"


def _pretty(value: Any) -> web.Response:
    body = json.dumps(value, indent=2, ensure_ascii=False).encode()
    return web.Response(body=body, content_type="application/json")


def log_lines(run: Run) -> list[str]:
    verdict = run.status.upper()
    return [
        f"0s autopkgtest: starting {run.package} run {run.run_id}",
        "0s autopkgtest: @@@@@@@@@@@@@@@@@@@@ test bed setup",
        "2s autopkgtest: test smoke: [-----------------------",
        "2s checking that the sample program says hello",
        "3s autopkgtest: test smoke: -----------------------]",
        f"3s smoke                {verdict}",
        f"{int(run.outcome.duration_s) if run.outcome else 0}s autopkgtest: finished",
    ]


def changes(runs: Iterable[Run], now: float) -> list[Run]:
    """List the runs that changed the state of their suite and architecture, newest first."""
    last: dict[tuple[str, str], str] = {}
    found = []
    for run in sorted(runs, key=lambda run: (run.arrives, run.run_id)):
        if not run.is_over(now) or run.outcome is None or run.status == "tmpfail":
            continue
        before = last.get((run.suite, run.arch))
        last[run.suite, run.arch] = run.status
        if before is not None and before != run.status:
            found.append(run)
    return found[::-1]


def feed(package: str, runs: list[Run], address: str) -> str:
    """Write the Atom feed of one package."""
    newest = f"{utc(runs[0].date):%Y-%m-%dT%H:%M:%SZ}" if runs else ""
    updated = f"  <updated>{newest}</updated>\n" if runs else ""
    entries = "".join(_entry(run, address) for run in runs)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom"\n'
        '  xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f"  <id>{address}/packages/{prefix(package)}/{package}/</id>\n"
        f"  <title>{package} CI news feed</title>\n{updated}{entries}</feed>\n"
    )


def _entry(run: Run, host: str) -> str:
    outcome = run.outcome
    version = outcome.package_version if outcome else ""
    where = f"{run.suite}/{run.arch}"
    title = html.escape(f"{run.package} {version} {run.status.upper()} on {where}")
    address = f"{host}/data/packages/{where}/{prefix(run.package)}/{run.package}/{run.run_id}.log"
    ended = f"{utc(run.date):%Y-%m-%dT%H:%M:%SZ}"
    took = human(int(outcome.duration_s) if outcome else None)
    return (
        f'  <entry>\n    <id>{address}</id>\n    <link href="{address}"/>\n'
        f'    <summary type="html">&lt;p&gt;{title}, in {took}&lt;/p&gt;</summary>\n'
        f"    <title>{title}</title>\n    <updated>{ended}</updated>\n"
        f"    <dc:date>{ended}</dc:date>\n  </entry>\n"
    )
