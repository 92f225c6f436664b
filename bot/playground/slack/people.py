"""The sample workspace's people, channels and user groups. None of them exists."""

from dataclasses import dataclass, field

HOME_TEAM = "T0SAMPLE01"
OTHER_TEAM = "T0PARTNER1"
APP_ID = "A0SAMPLE01"
BOT_ID = "B0SAMPLE01"
BOT_USER = "U0BOT00001"

OPERATOR = "U0OPERATOR"
SECOND_OPERATOR = "U0OPERATR2"
MEMBER = "U0MEMBER01"
GUEST = "U0GUEST001"
STRANGER = "U0STRANGER"

CI_ALERTS = "C0CIALERTS"
BUILDS = "C0BUILDS01"
GENERAL = "C0GENERAL1"
SHARED = "C0SHARED01"
PRIVATE = "C0PRIVATE1"
ARCHIVED = "C0ARCHIVED"
OPERATORS_GROUP = "S0OPERATRS"


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    real_name: str
    team_id: str = HOME_TEAM
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False

    @property
    def is_stranger(self) -> bool:
        return self.team_id != HOME_TEAM


@dataclass(slots=True)
class Channel:
    """A channel, or a direct message with the bot when `user` is set."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    user: str = ""
    topic: str = ""

    @property
    def is_im(self) -> bool:
        return bool(self.user)

    @property
    def kind(self) -> str:
        """`channel`, `group` or `im`, as in `channel_type` and in the names of scopes."""
        if self.is_im:
            return "im"
        return "group" if self.is_private else "channel"

    @property
    def name_in_payloads(self) -> str:
        return {"im": "directmessage", "group": "privategroup", "channel": self.name}[self.kind]


@dataclass(slots=True)
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)


def sample_people() -> list[Person]:
    return [
        Person(OPERATOR, "olivia", "Olivia Operator (sample)"),
        Person(SECOND_OPERATOR, "sam", "Sam Operator (sample)"),
        Person(MEMBER, "max", "Max Member (sample)"),
        Person(
            GUEST, "greta", "Greta Guest (sample)", is_restricted=True, is_ultra_restricted=True
        ),
        Person(STRANGER, "stefan", "Stefan Stranger (sample)", team_id=OTHER_TEAM),
        Person(BOT_USER, "ci-bot", "CI bot", is_bot=True),
    ]


def sample_channels() -> list[Channel]:
    full = {OPERATOR, SECOND_OPERATOR, MEMBER}
    return [
        Channel(
            CI_ALERTS, "ci-alerts", {*full, GUEST, BOT_USER}, topic="What broke, what is fixed"
        ),
        Channel(BUILDS, "builds", {*full, BOT_USER}, topic="Runs started by hand"),
        Channel(GENERAL, "general", set(full), topic="The bot is not a member here"),
        Channel(
            SHARED,
            "shared-partner",
            {*full, STRANGER, BOT_USER},
            is_ext_shared=True,
            topic="Shared with another workspace",
        ),
        Channel(PRIVATE, "release-room", {OPERATOR, BOT_USER}, is_private=True),
        Channel(ARCHIVED, "old-builds", {*full, BOT_USER}, is_archived=True),
    ]


def sample_groups() -> list[UserGroup]:
    return [UserGroup(OPERATORS_GROUP, "ci-operators", "CI operators", [OPERATOR, SECOND_OPERATOR])]
