"""Alerts of Testery, env0 and Allure TestOps: told once, repeated from the card, fixed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from tests.fakes.trio import INSTANCES, RED, Trio


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    """Everything is watched."""
    with Trio(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as made:
        yield made


def fails(trio: Trio, instance: str) -> tuple[str, Message]:
    """A run that failed now, and the alert of it."""
    trio.polls_twice(instance)
    trio.catch_up()
    ref = trio.adds(instance, age_s=32.0, **RED[instance])
    trio.clock.advance(10)  # Allure TestOps closes a launch a little after its jobs end
    return ref, trio.waits_for(ref)


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_failure_is_told_once_with_its_buttons(trio: Trio, instance: str) -> None:
    ref, card = fails(trio, instance)
    trio.polls_twice(instance)

    assert [m.ts for m in trio.told() if ref in m.visible] == [card.ts]
    assert card.text.startswith(f"✖ failed  {ref}")
    assert card.controls == ["Retry", "Mute 2 h", "Open", "Why?"]


@pytest.mark.parametrize(
    ("instance", "rerun"),
    [("testery", "new"), ("testery", "same"), ("testery", "absent"), ("env0", ""), ("allure", "")],
)
def test_repeated_from_the_card_it_is_fixed(trio: Trio, instance: str, rerun: str) -> None:
    trio.testery.quirks.rerun = rerun or "new"
    ref, card = fails(trio, instance)
    olivia = trio.person()
    olivia.presses(card, "Retry")
    trio.wait(lambda: "— done" in "".join(m.text for m in olivia.screen()), "the retry")
    assert trio.changes(instance)
    trio.clock.advance(60)

    trio.waits_for("✔ fixed")
    trio.wait(lambda: "fixed" in olivia.again(card).visible.splitlines()[0], "a fixed card")
    assert any(ref in m.visible for m in trio.told())
    assert [m.ts for m in trio.told() if "✖ failed" in m.visible.splitlines()[0]] == []
