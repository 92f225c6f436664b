"""The one card of a mutation, when Slack is not at its best."""

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS, GENERAL, OPERATOR
from tests.fakes.stage import SHOP, Player, Stage

POSTS = "/api/chat.postMessage"


def test_a_card_whose_answer_was_lost_is_found_and_edited(stage: Stage, olivia: Player) -> None:
    stage.slack.faults.add(Fault(path=POSTS, times=1, drop_after=True))
    olivia.does(f"/trigger wercker:{SHOP} main")

    stage.wait(lambda: stage.slack.calls("chat.update"), "the edit")
    (card,) = stage.slack.messages(BUILDS)
    assert "queued" in card.text
    assert f"<@{OPERATOR}>" in card.text
    assert len(stage.changes()) == 1


def test_a_card_that_cannot_be_found_again_is_told_to_the_asker_alone(
    stage: Stage, olivia: Player
) -> None:
    stage.slack.scopes.discard("channels:history")
    stage.slack.faults.add(Fault(path=POSTS, times=1, drop_after=True))
    olivia.does(f"/trigger wercker:{SHOP} main")

    told = stage.wait(lambda: [m for m in olivia.screen() if "queued" in m.text], "the answer")
    assert [m.ephemeral_for for m in told] == [OPERATOR]
    (card,) = [m for m in stage.slack.messages(BUILDS) if not m.ephemeral_for]
    assert "sending" in card.text
    assert len(stage.changes()) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_fault_of_slack_stops_no_command(
    stage: Stage, olivia: Player, status: int
) -> None:
    stage.slack.faults.add(Fault(path=POSTS, times=1, status=status))
    answer = olivia.asks(f"/trigger wercker:{SHOP} main")

    assert "queued" in answer.text
    assert len(stage.changes()) == 1


def test_where_the_bot_may_not_post_its_answer_goes_by_the_response_url(stage: Stage) -> None:
    stage.slack.scopes.discard("chat:write.public")
    player = stage.person(OPERATOR, GENERAL)
    player.does(f"/trigger wercker:{SHOP} main")

    found = stage.wait(
        lambda: [m for m in player.screen() if "queued" in m.text], "the card by another way"
    )
    assert f"<@{OPERATOR}>" in found[-1].text
    assert len(stage.changes()) == 1
