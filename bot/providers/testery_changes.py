"""Starting, canceling and repeating runs of Testery. Each is sent once, and not asked after."""

from collections.abc import Sequence
from typing import Any, cast

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import RetryRequest, Started, TriggerRequest, Variable
from bot.domain.runs import Run
from bot.net import Reply
from bot.providers.testery_api import SUCCESS, TesteryApi, run_in
from bot.providers.testery_names import Names, Place
from bot.providers.testery_runs import Runs, checked
from bot.providers.testery_starts import (
    LOST,
    TesteryTrigger,
    repeated,
    variables_of,
)
from bot.providers.testery_starts import checked as checked_parameters

_ABSENT = frozenset({404, 405, 501})  # how a server says that it has no rerun (assumed)
_REFUSED = frozenset({Kind.INVALID, Kind.CONFLICT, Kind.NOT_FOUND})
_MAY_BE_OVER = _REFUSED | {Kind.AMBIGUOUS, Kind.BAD_REPLY}


class Changes:
    """Shared by threads. Names and links are looked up before anything is sent, so that no
    failure afterwards can hide that it was done.
    """

    def __init__(self, api: TesteryApi, names: Names, runs: Runs) -> None:
        self._api, self._names, self._runs = api, names, runs

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """One request, after the names were looked up. INVALID if no environment is named."""
        typed = cast("TesteryTrigger", request.parameters)
        place = self._place(request.pipeline, typed.environment, deadline)
        return Started(self._start(place, typed.fields(), typed, request.variables, deadline))

    def abort(self, run: Run, deadline: Deadline) -> Run:
        """Sends nothing if `run` is over. If the vendor refuses, or its answer is lost, and the
        run turns out to be over, tells how it ended; CONFLICT if it is refused and still going.
        """
        run_id = checked(run.ref.run_id)
        if run.is_over:
            return run
        body = {"status": "CANCELED"}
        try:
            reply = self._api.change("PATCH", ("test-runs", run_id), deadline, body)
        except ProviderError as error:
            if error.kind not in _MAY_BE_OVER:
                raise
            problem = error
        else:
            return self._runs.after(run, reply.json_or_none(), deadline)
        return self._ended(run_id, problem, deadline)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        """A rerun; where the vendor has none, or other values are wanted, a new run like the old
        one, and the note says what was lost. CONFLICT, with nothing sent, unless the old run is
        over.
        """
        run = request.run
        run_id = checked(run.ref.run_id)
        if request.scope != "all":
            message = "Testery cannot repeat a part of a run: retry all of it."
            raise ProviderError(Kind.UNSUPPORTED, message)
        if not run.is_over:
            message = "Testery repeats only runs that are over; this one is still going."
            raise ProviderError(Kind.CONFLICT, message)
        if request.parameters or request.variables:
            return self._repeat(request, deadline)
        self._names.learn_account(deadline)
        reply = self._api.change(
            "POST", ("test-runs", run_id, "rerun"), deadline, {}, accept={*SUCCESS, *_ABSENT}
        )
        if reply.status in _ABSENT:
            return self._repeat(request, deadline)
        return self._rerun(run, reply, deadline)

    def _rerun(self, run: Run, reply: Reply, deadline: Deadline) -> Started:
        """What the vendor answers is not known: the run under its old id or a new one, or
        nothing that can be read. A web page is no answer of the API.
        """
        value = reply.json() if reply.body.lstrip()[:1] == b"<" else reply.json_or_none()
        shown = run_in(_with_status(value))
        if shown is not None and str(shown.id) != run.ref.run_id:
            return Started(self._runs.moved(run, shown))
        now = self._runs.after(run, value, deadline)
        if shown is not None or not now.is_over:
            return Started(now)
        note = (
            "Testery took it, but names no new run, and the old one still shows its end: it may "
            "move again soon, or a new run may be in the list."
        )
        return Started(now, note)

    def _repeat(self, request: RetryRequest, deadline: Deadline) -> Started:
        """A new run with the old one's parameters, as far as its reply tells them."""
        typed = checked_parameters(request.parameters)
        old = self._runs.read(request.run.ref.run_id, deadline)
        self._names.prepare([old], deadline)
        home = self._names.home(old)
        if home.project is None:
            message = "Testery does not tell the project of that run: start a new one instead."
            raise ProviderError(Kind.INVALID, message)
        place = self._place(home.project, typed.environment or home.environment, deadline)
        fields = repeated(old, typed)
        run = self._start(place, fields, typed, request.variables, deadline)
        kept = ", except for those that were typed now." if request.variables else "."
        return Started(run, LOST + kept)

    def _place(self, pipeline: str, environment: str | None, deadline: Deadline) -> Place:
        """The project and environment to run in."""
        place = self._names.find(pipeline, deadline)
        if place.environment is None and environment:
            return self._names.find(f"{place.project.key}/{environment}", deadline)
        if place.environment is None:
            known = tuple(e.key for e in self._names.environments(deadline) if not e.archived)
            message = (
                f"{place.project.key} needs an environment to run in: environment=…, or "
                f"{place.project.key}/… as the pipeline. There are: {', '.join(known) or 'none'}."
            )
            raise ProviderError(Kind.INVALID, message, known=known)
        if environment and environment != place.environment.key:
            message = f"{place.home.key} and environment={environment} differ: give one."
            raise ProviderError(Kind.INVALID, message)
        return place

    def _start(
        self,
        place: Place,
        fields: dict[str, Any],
        typed: TesteryTrigger,
        variables: Sequence[Variable],
        deadline: Deadline,
    ) -> Run:
        """One request and no other after it. A reply that is no run leaves open whether there
        is one: AMBIGUOUS.
        """
        body = {"project": place.project.key, **fields, "environment": place.home.environment}
        suite = body.get("testSuiteId")
        if isinstance(suite, str):
            body["testSuiteId"] = self._suite_id(place, suite, deadline)
        if sent := variables_of(typed, variables):
            body["variables"] = sent
        self._names.learn_account(deadline)
        secrets = [one["value"] for one in sent]
        path = ("test-run-requests-build",)
        reply = self._api.change("POST", path, deadline, body, secrets=secrets)
        shown = run_in(_told(reply.json(), place, body))
        if shown is None:
            message = "Testery took the request, but its answer shows no run: look there."
            raise ProviderError(Kind.AMBIGUOUS, message)
        return self._runs.known(shown)

    def _suite_id(self, place: Place, suite: str, deadline: Deadline) -> int:
        is_id = suite.isascii() and suite.isdecimal()
        return int(suite) if is_id else self._names.suite_id(place.project, suite, deadline)

    def _ended(self, run_id: str, problem: ProviderError, deadline: Deadline) -> Run:
        """How the run ended, if it did; otherwise why it could not be canceled."""
        try:
            run = self._runs.get(run_id, deadline)
        except ProviderError:
            raise problem from None
        if run.is_over:
            return run
        kind = Kind.CONFLICT if problem.kind in _REFUSED else problem.kind
        raise ProviderError(kind, problem.message, detail=problem.detail)


def _with_status(value: Any) -> Any:
    """A run that was just started and shows no status waits to begin."""
    is_bare = isinstance(value, dict) and not isinstance(value.get("status"), str)
    return {**value, "status": "SUBMITTED"} if is_bare else value


def _told(value: Any, place: Place, body: dict[str, Any]) -> Any:
    """The answer to a start, with what was asked for in the place of what it leaves out."""
    if not isinstance(value, dict):
        return value
    asked = {
        "projectId": place.home.project_id,
        "environment": place.home.environment,
        "environmentId": place.home.environment_id,
        "branch": body.get("branch"),
        "gitRef": body.get("ref"),
    }
    return _with_status({**asked, **{k: v for k, v in value.items() if v is not None}})
