"""The tests of a run of Testery. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from bot.domain.runs import TestResult
from bot.domain.statuses import Status
from bot.providers.failing import failing
from bot.providers.testery_links import Links
from bot.providers.testery_replies import ResultReply

_STATUSES = {
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,  # also for a test that timed out
    "IGNORED": Status.SKIPPED,
    "NOT_RUN": Status.SKIPPED,
    "NOTRUN": Status.SKIPPED,
    "SKIPPED": Status.SKIPPED,
    "PENDING": Status.QUEUED,
    "RUNNING": Status.RUNNING,
}
_COLOUR = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_ERROR_CHARACTERS = 300
_ERROR_READ = 20_000
_NAME_CHARACTERS = 300


def is_waiting(result: ResultReply) -> bool:
    """True for a test that will not run any more once its run is over."""
    return _status_of(result) is Status.QUEUED


def tests_of(
    results: Sequence[ResultReply], run_id: str, links: Links, *, is_over: bool
) -> tuple[TestResult, ...]:
    """Failed tests first, otherwise in the vendor's order. The file is shown where a name alone
    would leave open which test is meant.
    """
    times = Counter(result.label for result in results)
    tests = [
        TestResult(
            name=_name(result, is_ambiguous=times[result.label] > 1),
            status=_settled(_status_of(result), is_over=is_over),
            error=first_line(result.error or ""),
            duration_s=None if result.duration is None else result.duration / 1000,
            url=links.test(run_id, result.id),
        )
        for result in results
    ]
    return tuple(sorted(tests, key=lambda test: not test.status.is_failure))


def failed_names(results: Sequence[ResultReply]) -> tuple[str, ...]:
    """The failed tests. One without a name would be another test in each run, by its id."""
    times = Counter(result.label for result in results)
    return failing(
        _name(result, is_ambiguous=times[result.label] > 1)
        for result in results
        if result.given_name and _status_of(result).is_failure
    )


def first_line(text: str) -> str:
    """The first line that says something, without terminal colours and control characters."""
    for line in _COLOUR.sub("", text[:_ERROR_READ]).splitlines():
        words = "".join(_visible(c) for c in line).split()
        if words:
            return _cut(" ".join(words), _ERROR_CHARACTERS)
    return ""


def _status_of(result: ResultReply) -> Status:
    return _STATUSES.get((result.status or "").upper(), Status.UNKNOWN)


def _settled(status: Status, *, is_over: bool) -> Status:
    return Status.SKIPPED if is_over and status is Status.QUEUED else status


def _name(result: ResultReply, *, is_ambiguous: bool) -> str:
    name = f"{result.label} ({result.file})" if is_ambiguous and result.file else result.label
    return first_line(name)[:_NAME_CHARACTERS] or "test without a name"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category.startswith("C") else character


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
