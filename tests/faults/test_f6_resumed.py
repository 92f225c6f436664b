"""F6, the way back: a channel in which Slack did not let the bot post, and does again.

What failed meanwhile is old news by then: it is counted in one line, and not posted.
"""

from collections.abc import Callable

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BOT_USER, BUILDS, CI_ALERTS, MEMBER, OPERATOR
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG

Open = Callable[..., Newsroom]
SUSPENDED = "SELECT 1 FROM watches WHERE suspended_because IS NOT NULL"
FROM_SETTINGS = f'[{{"channel": "{BUILDS}", "pipeline": "wercker:*"}}]'


def fails_unheard(room: Newsroom) -> str:
    """Archives the channel and returns the run whose alert Slack refused for that."""
    room.slack.channel(BUILDS).is_archived = True
    run = room.ends("failed")
    room.wait(lambda: room.query(SUSPENDED), "a suspended watch")
    return run.id


def posted(room: Newsroom, run_id: str) -> list[Message]:
    """Those that are about it: others may name it as what came before."""
    return [m for m in room.told() if run_id in m.visible.splitlines()[0]]


@pytest.mark.parametrize("maker", ["settings", "a person"])
def test_f6_watches_are_resumed_by_a_command(newsroom: Open, maker: str) -> None:
    """Another channel keeps the lists being read, so the failures are known when it comes."""
    room = newsroom(BOT_WATCHES=FROM_SETTINGS if maker == "settings" else None)
    olivia = room.person()
    if maker == "a person":
        olivia.asks("/watch wercker:*")
    room.person(channel=CI_ALERTS).asks("/watch wercker:*")
    room.polls_twice()
    room.waits_for(room.ends("failed").id)
    unheard = [fails_unheard(room), room.ends("failed", CATALOG).id]
    room.waits_for(unheard[1], CI_ALERTS)
    room.ends("passed")
    room.waits_for("✔ fixed", CI_ALERTS)
    room.slack.channel(BUILDS).is_archived = False
    listed = olivia.asks("/watch list").visible
    assert "suspended (Slack says is_archived)" in listed
    assert "/watch resume" in listed
    assert "may not" in room.person(MEMBER).asks("/watch resume").visible
    answer = olivia.asks("/watch resume")
    assert "I post about `wercker:*` here again" in answer.visible
    assert answer.ephemeral_for is None, "all who read there see it"
    line = room.waits_for("watching `wercker:*` again").visible
    assert "2 older failures are not posted; 1 pipeline red now" in line
    run = room.ends("failed")
    room.waits_for(run.id)
    assert [len(posted(room, one)) for one in (*unheard, run.id)] == [0, 0, 1]
    assert not posted(room, run.id)[0].is_reply, "a card of its own: it was green in between"
    assert "no watch is suspended" in olivia.asks("/watch resume").visible
    assert len(room.query("SELECT 1 FROM watches")) == 2


def test_f6_watches_of_the_settings_are_resumed_by_a_restart(newsroom: Open) -> None:
    """Nobody read the lists meanwhile. A restart that comes too early does no harm."""
    room = newsroom(BOT_WATCHES=FROM_SETTINGS)
    room.polls_twice()
    unheard = [fails_unheard(room)]
    room.restarts()
    room.wait(lambda: room.query(SUSPENDED), "it is tried in vain")
    unheard.append(room.ends("failed", CATALOG, created=room.clock.time() - 60).id)
    room.slack.channel(BUILDS).is_archived = False
    room.restarts()
    line = room.waits_for("watching `wercker:*` again").visible
    assert "2 older failures are not posted; 2 pipelines red now" in line
    run = room.ends("failed")
    room.waits_for(run.id)
    room.ends("passed")
    room.waits_for("✔ fixed")
    assert [len(posted(room, one)) for one in unheard] == [0, 0]


def test_f6_the_maker_is_told_how_to_go_on_after_a_removal(newsroom: Open) -> None:
    room = newsroom(BOT_COMMAND_PREFIX="ci-")
    channel = room.slack.channel(BUILDS)
    channel.is_private = True
    olivia = room.person()
    olivia.asks("/ci-watch wercker:*")
    room.polls_twice()
    channel.members.discard(BOT_USER)
    room.ends("failed")
    told = room.waits_for("no longer post", room.slack.dm(OPERATOR)).visible
    assert "/ci-watch resume" in told
    channel.members.add(BOT_USER)
    olivia.asks("/ci-watch resume")
    room.waits_for("watching `wercker:*` again; 1 older failure is not posted")
    room.waits_for(room.ends("failed").id)
    assert "suspended" not in olivia.asks("/ci-watch list").visible
