"""The look for secrets at the end of every stage sees what it is there to see."""

import logging
from pathlib import Path

import pytest

from bot.playground.vendors.env0_model import SECRET
from tests.fakes.stage import DEBCI_KEY, ENTRIES, SHOP, WERCKER_TOKEN, Entry, Stage, check_secrets
from tests.fakes.trio import VARIABLES, Trio

PLACES = ("Slack", "the log", "the database", "/metrics")
TYPED = "canary-that-was-typed"


@pytest.mark.parametrize("place", PLACES)
def test_the_place_is_named_and_the_secret_is_not(tmp_path: Path, place: str) -> None:
    with Stage("http", tmp_path) as stage:
        stage.person().asks("/runs providers")
    places = stage.places()
    assert tuple(places) == PLACES
    assert all(places.values())
    check_secrets(stage.canaries(), places)

    with pytest.raises(AssertionError) as caught:
        check_secrets(stage.canaries(), places | {place: f"{places[place]} {DEBCI_KEY}."})
    assert f"a secret stands in {place}" in str(caught.value)
    assert DEBCI_KEY not in str(caught.value)


def test_a_leak_fails_the_test_that_made_it(tmp_path: Path) -> None:
    trio = Trio(tmp_path)
    with pytest.raises(AssertionError, match=r"stands in the log, the database$"), trio:
        leak(trio)


def leak(trio: Trio) -> None:
    """Into a log line, and into a file that belongs to the database."""
    logging.getLogger("bot").info("leak.made", extra={"value": SECRET})
    trio.database.with_name(f"{trio.database.name}-leak").write_text(SECRET)


def test_what_counts_as_a_secret(tmp_path: Path) -> None:
    with Trio(tmp_path) as trio:
        trio.person().acts(f"/trigger testery:checkout/staging env.DB={TYPED}")
        found = trio.canaries()

    slack = trio.slack
    held = {str(one["value"]) for one in VARIABLES}
    assert {TYPED, SECRET, slack.bot_token, slack.app_token, slack.signing_secret} | held <= found
    assert {"canary-testery-token", "canary-env0-key", "canary-allure-token"} <= found


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_token_that_somebody_types_by_its_name_is_not_repeated(
    tmp_path: Path, entry: Entry
) -> None:
    with Stage("http", tmp_path) as stage:
        olivia = stage.person()
        for typed in (f"token={WERCKER_TOKEN}", f"env.A={WERCKER_TOKEN} x=1"):
            answer = olivia.asks(f"/trigger wercker:{SHOP} {typed}", entry)
            assert "•••" in answer.text


@pytest.mark.parametrize(
    "typed",
    [
        f"/runs {WERCKER_TOKEN}",
        f"/runs branch={WERCKER_TOKEN}",
        f"/trigger wercker:{SHOP} message={WERCKER_TOKEN} dry",
    ],
)
def test_a_token_that_somebody_types_as_a_plain_word_is_not_repeated(
    tmp_path: Path, typed: str
) -> None:
    with Stage("http", tmp_path) as stage:
        olivia = stage.person()
        olivia.does(typed)
        stage.wait(lambda: [m for m in olivia.screen() if "•••" in m.text], "the answer")
        assert WERCKER_TOKEN not in "".join(m.visible for m in olivia.screen())
