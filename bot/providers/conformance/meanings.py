"""What a status of HTTP may come to, for a read and for a change."""

from bot.domain.errors import Kind
from bot.providers.conformance.bench import Outcome
from bot.providers.conformance.rig import Rig

_KINDS = {
    401: Kind.AUTH,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    408: Kind.UNAVAILABLE,
    409: Kind.CONFLICT,
    429: Kind.RATE_LIMITED,
}
MOVED_UNDONE = frozenset({301, 307, 308})
SAMPLE = (
    *range(300, 309), 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 418, 422,
    423, 428, 429, 451, 499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 599,
)  # fmt: skip


def is_doubtful(status: int) -> bool:
    """Whether a change that is answered so may have been done all the same."""
    return status >= 500 or (300 <= status < 400 and status not in MOVED_UNDONE)


def kinds_of(rig: Rig, status: int) -> set[Kind]:
    """What the answer to a read may be called. A 404 of something that is no such API at all
    may be BAD_REPLY too.
    """
    if status in _KINDS:
        usual = {_KINDS[status]} | ({Kind.BAD_REPLY} if status == 404 else set())
    elif status < 400:
        usual = {Kind.BAD_REPLY}
    else:
        usual = {Kind.INVALID} if status < 500 else {Kind.UNAVAILABLE}
    return usual | {*rig.kinds.get(status, ())}


def judge_read(rig: Rig, status: int, outcome: Outcome) -> list[str]:
    if outcome.error is None:
        fine = not outcome.sent or status in rig.answers.get(outcome.name, ())
        return [] if fine else [f"{status} is taken for an answer: {outcome}"]
    if outcome.kind in kinds_of(rig, status):
        return []
    return [f"{status} is not {' or '.join(sorted(kinds_of(rig, status)))}: {outcome}"]


def judge_change(rig: Rig, status: int, outcome: Outcome) -> list[str]:
    """A doubtful answer is AMBIGUOUS, unless the provider looked and knows better. A refusal
    is what it is, or CONFLICT where the run's own state explains it.
    """
    if is_doubtful(status):
        fine = outcome.error is None or outcome.kind is Kind.AMBIGUOUS
        return [] if fine else [f"{status} leaves a doubt: {outcome}"]
    if outcome.error is None:
        fine = status in rig.answers.get(outcome.name, ())
        return [] if fine else [f"{status} is taken for done: {outcome}"]
    allowed = kinds_of(rig, status) | {Kind.CONFLICT}
    return [] if outcome.kind in allowed else [f"{status} is a refusal: {outcome}"]
