"""The words of the grammar, their synonyms, and what a misspelt word may have meant."""

from collections.abc import Iterable
from typing import Literal, get_args

from rapidfuzz import fuzz, process

from bot.domain.intents import Topic
from bot.domain.statuses import Status

FilterKey = Literal["branch", "status", "provider", "pipeline", "by", "env", "since", "limit"]

VERBS: tuple[Topic, ...] = get_args(Topic)
FILTER_KEYS: tuple[FilterKey, ...] = get_args(FilterKey)
VIEWS = ("failing", "running", "mine", "pipelines", "providers", "history")
PARTS = ("tests", "steps", "log", "params")
WATCH_WORDS = ("list", "off", "resume", "why", "test", "mute", "unmute", "help")
HELP_WORDS = ("help", "--help", "-h", "?")
DRY_WORDS = ("dry", "dry-run", "dryrun")
WHICH: dict[str, Literal["last", "last-failed", "last-green"]] = {
    "last": "last",
    "last-failed": "last-failed",
    "last-green": "last-green",
}
VERB_SYNONYMS: dict[str, Topic] = {
    "run": "trigger",
    "start": "trigger",
    "build": "trigger",
    "stop": "abort",
    "cancel": "abort",
    "kill": "abort",
    "rerun": "retry",
    "repeat": "retry",
    "again": "retry",
    "subscribe": "watch",
    "alerts": "watch",
    "status": "runs",
    "list": "runs",
}
"""Offered, never taken: a mutation is not guessed."""

_KEY_SYNONYMS: dict[FilterKey, str] = {
    "branch": "ref br",
    "status": "state result",
    "by": "author user who",
    "env": "environment",
    "limit": "n max",
}
_STATUS_SYNONYMS: dict[Status, str] = {
    Status.PASSED: "pass green ok",
    Status.FAILED: "fail red",
    Status.ABORTED: "cancelled canceled",
    Status.RUNNING: "active",
    Status.QUEUED: "pending",
    Status.ERRORED: "infra tmpfail",
}
KEY_WORDS: dict[str, FilterKey] = {key: key for key in FILTER_KEYS} | {
    word: key for key, words in _KEY_SYNONYMS.items() for word in words.split()
}
STATUS_WORDS: dict[str, Status] = {status.value: status for status in Status} | {
    word: status for status, words in _STATUS_SYNONYMS.items() for word in words.split()
}

_LONGEST_GUESS = 64
_ALIKE = 60.0


def closest(word: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known words that look like this one, best first. Empty for very long words."""
    if len(word) > _LONGEST_GUESS:
        return ()
    found = process.extract(
        word.lower(), list(known), scorer=fuzz.ratio, limit=limit, score_cutoff=_ALIKE
    )
    return tuple(match for match, _, _ in found)
