"""Stopping module tests of env0: cancelled while they wait, aborted while they run.

That these calls for deployments hold for module tests is assumed. What a test that was running
has made in the cloud may stay.
"""

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.env0_api import Env0Api
from bot.providers.env0_replies import RunReply
from bot.providers.env0_runs import Runs
from bot.providers.env0_words import status_of

_CANCELLED = frozenset({"QUEUED", "CREATING", "WAITING_FOR_USER"})
_STOPPING = "ABORTING"
_REFUSED = frozenset({Kind.INVALID, Kind.CONFLICT, Kind.NOT_FOUND})
_MAY_BE_OVER = _REFUSED | {Kind.AMBIGUOUS}


class Stops:
    """Thread-safe."""

    def __init__(self, api: Env0Api, runs: Runs) -> None:
        self._api, self._runs = api, runs

    def stop(self, run_id: str, deadline: Deadline) -> Run:
        """Reads the run and sends one change, or none if it is over or stopping already;
        returns it as it then stands. After a refusal or a lost answer it is read again: if it
        stopped all the same, that is told, and else what went wrong.
        """
        reply = self._runs.find(run_id, deadline)
        shown = self._runs.run(reply, deadline)
        if shown.is_over or reply.word == _STOPPING:
            return shown
        method, verb = _call_for(reply)
        path = ("environments", "deployments", reply.deployment_log_id, verb)
        try:
            self._api.change(method, path, deadline, {} if method == "POST" else None)
        except ProviderError as error:
            if error.kind not in _MAY_BE_OVER:
                raise
            problem = error
        else:
            return self._reread(shown, deadline) or shown
        return self._stopped(shown, problem, deadline)

    def _reread(self, run: Run, deadline: Deadline) -> Run | None:
        try:
            return self._runs.run(self._runs.read(run.ref.run_id, deadline), deadline)
        except ProviderError:
            return None

    def _stopped(self, run: Run, problem: ProviderError, deadline: Deadline) -> Run:
        now = self._reread(run, deadline)
        if now is not None and (now.is_over or now.raw_status.upper() == _STOPPING):
            return now
        kind = Kind.CONFLICT if problem.kind in _REFUSED else problem.kind
        raise ProviderError(kind, problem.message, detail=problem.detail)


def _call_for(reply: RunReply) -> tuple[str, str]:
    """CONFLICT where no call is known to fit the status."""
    if reply.word in _CANCELLED:
        return "PUT", "cancel"
    if status_of(reply.status) is Status.RUNNING:
        return "POST", "abort"
    raise ProviderError(
        Kind.CONFLICT,
        f"env0 shows the run as {reply.status or 'nothing'}, for which the bot knows no way to "
        "stop it; nothing was sent. Look there.",
    )
