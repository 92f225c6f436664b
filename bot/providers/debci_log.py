"""Logs of a debci server: gzip'd text below a base of their own, read without a key."""

import gzip
import zlib
from dataclasses import replace
from io import BytesIO

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Log
from bot.net import HttpClient, HttpError, Reply
from bot.providers.debci_runs import Job

_MOST_BYTES = 16 * 1024 * 1024
_MOST_CHARACTERS = 256 * 1024
_GZIP = b"\x1f\x8b"


class DebciLogs:
    """Sends no key: anyone may read logs, and they may live on another host."""

    def __init__(self, base_url: str, clock: Clock, timeout_s: float) -> None:
        self._http = HttpClient(
            service="debci's log server",
            base_url=base_url,
            clock=clock,
            timeout_s=timeout_s,
            max_body_bytes=_MOST_BYTES,
            setting="LOG_BASE_URL",
        )

    def read(self, job: Job, deadline: Deadline) -> Log:
        """The end of the log; NOT_FOUND if there is none, yet or any more."""
        _refuse_without_log(job)
        try:
            reply = self._http.request(
                "GET", *job.place.files(job.run_id), "log.gz", deadline=deadline
            )
        except HttpError as error:
            problem = _refusal(error)
        else:
            return _ended(f"{job.package} {job.run_id}", _unpacked(reply).text())
        raise problem  # outside of the handler: the caught error holds the raw reply


def _refuse_without_log(job: Job) -> None:
    if job.status is None:
        raise ProviderError(Kind.NOT_FOUND, "There is no log before the run is over.")
    if job.was_refused:
        raise ProviderError(Kind.NOT_FOUND, "There is no log: debci did not run this package.")


def _refusal(error: HttpError) -> ProviderError:
    if error.kind is not Kind.NOT_FOUND:
        return ProviderError(error.kind, error.message, detail=error.detail)
    message = "The log is not there any more: debci keeps logs for a limited time only."
    return ProviderError(Kind.NOT_FOUND, message, detail=error.detail)


def _unpacked(reply: Reply) -> Reply:
    """A file server that does not know `.gz` sends it as it is."""
    if not reply.body.startswith(_GZIP):
        return reply
    problem = "damaged"
    try:
        with gzip.open(BytesIO(reply.body)) as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) <= _MOST_BYTES:
            return replace(reply, body=text)
        problem = "too large"
    except (OSError, EOFError, zlib.error):
        pass
    raise ProviderError(Kind.BAD_REPLY, f"The log cannot be shown: it is {problem}.")


def _ended(title: str, text: str) -> Log:
    if len(text) <= _MOST_CHARACTERS:
        return Log(title, text)
    return Log(title, text[-_MOST_CHARACTERS:].partition("\n")[2], is_cut=True)
