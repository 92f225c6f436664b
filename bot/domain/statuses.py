"""The one status vocabulary that all vendors' words are mapped to."""

from enum import StrEnum


class Status(StrEnum):
    """How a run stands. The value is the English word that people read and type.

    WAITING means that a person must act. FAILED: the tests said no. ERRORED: the machinery
    said no. UNKNOWN: the vendor's word is not in its table; shown as it is, never an alert.
    """

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "error"
    ABORTED = "aborted"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """True when the run is over. UNKNOWN is not: the run may still tell."""
        return self in _TERMINAL

    @property
    def is_failure(self) -> bool:
        return self in _FAILURES


_FAILURES = frozenset({Status.FAILED, Status.ERRORED})
_TERMINAL = _FAILURES | {Status.PASSED, Status.ABORTED, Status.SKIPPED}
