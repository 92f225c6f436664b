"""What a run was started with, where it is no longer what it was in the last green run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.debci_model import Outcome as Verdict
from tests.fakes.newsroom import Newsroom
from tests.fakes.trio import RED, WEB, Trio

HELLO = "debci:testing/amd64/hello"
TYPED = "canary-that-was-typed"


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    """Everything is watched."""
    with Trio(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as made:
        yield made


def changed(message: Message) -> str:
    """The line of a card, or the lines of an answer, that tell what changed."""
    lines = message.visible.splitlines()
    return "\n".join(line for line in lines if line.startswith("changed since: "))


def turns_red(trio: Trio, before: dict[str, object], after: dict[str, object]) -> tuple[str, str]:
    """A green run of Testery and a red one that were started so: the red one's name, and what
    its card tells.
    """
    trio.adds("testery", "PASS", ref="a" * 40, **before)
    trio.polls_twice("testery")
    trio.catch_up()
    ref = trio.adds("testery", age_s=34.0, ref="a" * 40, **after, **RED["testery"])
    return ref, changed(trio.waits_for(ref))


def test_tags_that_changed_are_on_the_card_and_in_the_reasons(trio: Trio) -> None:
    ref, told = turns_red(
        trio,
        {"includeTags": ["smoke"], "copies": 2},
        {"includeTags": ["smoke", "login"], "copies": 2},
    )
    olivia = trio.person()

    assert told == "changed since: includeTags smoke → smoke,login"
    assert changed(olivia.asks(f"/watch why {ref}")) == told
    shown = olivia.asks(f"/runs {ref} params").text.splitlines()
    assert "includeTags smoke,login · copies 2" in shown
    assert "⚠ The variables of a run may hold secrets, so they are neither kept nor shown." in shown


def test_the_first_tags_are_a_change_and_a_new_field_is_none(trio: Trio) -> None:
    trio.testery.quirks.fields = "seed"
    trio.adds("testery", "PASS", age_s=200.0)
    trio.polls_twice("testery")
    trio.testery.quirks.fields = "rich"
    ref, told = turns_red(trio, {}, {"includeTags": ["smoke"], "runners": 4})

    assert told == "changed since: includeTags none → smoke · runners none → 4"
    assert changed(trio.person().asks(f"/watch why {ref}")) == told.replace(
        " · ", "\nchanged since: "
    )


def test_markup_in_a_value_is_shown_as_it_is(trio: Trio) -> None:
    hostile = ["*all*", "<!channel>", "`x`", "https://evil.example"]
    ref, told = turns_red(trio, {}, {"includeTags": hostile})
    olivia = trio.person()
    answers = [olivia.asks(f"/watch why {ref}"), olivia.asks(f"/runs {ref}")]

    assert told.startswith("changed since: includeTags none → `*all*,")
    shown = "\n".join(map(trio.marked_up, [*trio.told(), *answers]))
    assert "*all*,&lt;!channel&gt;,\u02cbx\u02cb,https://evil.example" in shown
    assert "<!channel" not in shown
    assert "<https://evil" not in shown


def test_a_version_and_a_trigger_of_debci(newsroom: Callable[..., Newsroom]) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"/watch {HELLO}")
    room.debci.add_run("hello", outcome=Verdict("pass"), age_s=60.0, trigger="upload")
    room.polls_twice("debci")
    verdict = Verdict("fail", package_version="1.1-1")
    red = room.debci.add_run("hello", outcome=verdict, trigger="upload of base")
    room.clock.advance(20)

    card = room.waits_for(f"debci:{red.run_id}")
    assert changed(card) == "changed since: version 1.0-1 → 1.1-1 · trigger upload → upload of base"
    why = olivia.asks(f"/watch why debci:{red.run_id}")
    assert changed(why).splitlines() == [
        "changed since: version 1.0-1 → 1.1-1",
        "changed since: trigger upload → upload of base",
    ]


def test_the_mark_by_which_the_bot_finds_its_run_is_no_change(
    newsroom: Callable[..., Newsroom],
) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"/watch {HELLO}")
    room.debci.script("hello", Verdict("pass"), Verdict("fail"))
    olivia.acts(f"/trigger {HELLO} trigger=nightly")
    room.clock.advance(20)
    room.polls_twice("debci")
    olivia.acts(f"/trigger {HELLO} trigger=nightly")
    room.clock.advance(20)

    green, red = room.debci.runs
    assert green.trigger != red.trigger, "each bears a mark of its own"
    card = room.waits_for("last green")
    assert card.text.startswith(f"✖ failed  debci:{red.run_id}")
    assert f"last green: ✔ passed  debci:{green.run_id}" in card.text
    assert changed(card) == ""


def test_variables_that_were_typed_are_never_among_them(trio: Trio) -> None:
    """Allure TestOps shows them as the environment of a launch. Leaving the stage looks for
    them in Slack, in the log and in the database.
    """
    trio.adds("allure", "passed", tags=("smoke",))
    trio.polls_twice("allure")
    trio.allure.plan.add([Outcome("failed", failed=("Login",))])
    trio.person().acts(f"/trigger allure:37/{WEB} tags=login env.STAND={TYPED}")
    trio.clock.advance(60)
    card = trio.waits_for("✖ failed")

    assert TYPED in str(trio.allure.launches[-1].environment)
    assert "tags smoke → login" in changed(card)
