"""Who may do what: one decision for every way in."""

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    READ = "read"
    TRIGGER = "trigger"
    ABORT = "abort"
    RETRY = "retry"
    WATCH = "watch"
    MUTE = "mute"

    @property
    def is_mutation(self) -> bool:
        return self is not Verb.READ


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, as Slack vouches for it.

    `team_id` comes from the raw payload. `is_full_member` is None when Slack could not be
    asked; `groups` are the user groups named in the policy that hold this person.
    """

    user_id: str
    team_id: str
    is_full_member: bool | None = None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """The home workspace and the entries of BOT_OPERATORS (ids, or `*`)."""

    home_team: str
    operators: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """The decision, the rule that made it, and for a denial the sentence that says so."""

    is_allowed: bool
    rule: str
    explanation: str = ""


def _allow(rule: str) -> Access:
    return Access(is_allowed=True, rule=rule)


def _deny(rule: str, explanation: str) -> Access:
    return Access(is_allowed=False, rule=rule, explanation=explanation)


def decide(policy: Policy, person: Person, channel: str, verb: Verb) -> Access:
    """Decides for one person, channel and verb. An empty policy allows no mutation."""
    if person.team_id != policy.home_team:
        return _deny(
            "home workspace",
            "only members of the workspace where this bot is installed may use it.",
        )
    if verb is Verb.READ:
        return _allow("members may read")
    if person.is_full_member is False:
        return _deny("no guests", f"guests may look, but not {verb}. {_GRANT_TO_OTHERS}")
    return _by_operators(policy, person, channel, verb)


_GRANT_TO_OTHERS = "Ask a full member who is an operator to do it."


def _by_operators(policy: Policy, person: Person, channel: str, verb: Verb) -> Access:
    entries = policy.operators
    if not entries:
        return _deny(
            "BOT_OPERATORS is not set",
            f"nobody may {verb} yet, because BOT_OPERATORS is not set. Whoever runs this bot can "
            f"grant it: BOT_OPERATORS={person.user_id} (a user, a user group, a channel, or *).",
        )
    if person.user_id in entries:
        return _allow(f"operator {person.user_id}")
    group = min(person.groups & entries, default=None)
    if person.is_full_member is None and (group or channel in entries or "*" in entries):
        return _deny(
            "membership unknown",
            "Slack did not say whether you are a full member, so nothing was done. Try again soon.",
        )
    if group:
        return _allow(f"operator group {group}")
    if channel in entries:
        return _allow(f"operator channel {channel}")
    if "*" in entries:
        return _allow("every full member")
    return _deny(
        "BOT_OPERATORS",
        f"you are not among the operators, so you may not {verb}. Whoever runs this bot can grant "
        f"it: add {person.user_id}, one of your user groups or this channel ({channel}) to "
        "BOT_OPERATORS.",
    )
