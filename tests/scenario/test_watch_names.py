"""What may be named in a watch or a mute: nothing is guessed, and what is odd is said."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP
from tests.fakes.trio import CHECKOUT, VPC, WEB, Trio, open_trio

Open = Callable[..., Newsroom]


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    yield from open_trio(tmp_path)


def watched(room: Newsroom) -> list[str]:
    rows = room.query("SELECT instance_glob, key_glob FROM watches ORDER BY id")
    return [f"{row['instance_glob']}:{row['key_glob']}" for row in rows]


def is_untouched(room: Newsroom) -> bool:
    return watched(room) == [] and room.query("SELECT * FROM mutes") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(VPC, f"env0:{VPC}"), (CHECKOUT, f"testery:{CHECKOUT}"), (WEB, f"allure:37/{WEB}")],
)
def test_a_bare_name_is_the_pipeline_that_one_provider_knows(
    trio: Trio, typed: str, meant: str
) -> None:
    olivia = trio.person()
    assert f"post here when {meant} fails or is fixed" in olivia.asks(f"/watch {typed}").text
    assert watched(trio) == [meant]
    assert f"{meant} · by" in olivia.asks(f"/watch mute {typed} 2h").text
    assert f"nothing is stored yet that {meant}" in olivia.asks(f"/watch test {typed}").text
    assert f"no longer muted  {meant}" in olivia.asks(f"/watch unmute {typed}").text


@pytest.mark.parametrize(
    ("typed", "says", "offered"),
    [
        ("/watch lst", "looks like list", "/watch list"),
        ("/watch lsit", "looks like list", "/watch list"),
        ("/watch mut checkout/staging 2h", "looks like mute", "/watch mute checkout/staging 2h"),
        ("/watch status", 'no pipeline "status"', ""),
        ("/watch nigthly branch=main", 'no pipeline "nigthly"', ""),
        ("/watch chekout/stagin", 'no pipeline "chekout/stagin"', f"testery:{CHECKOUT}"),
        ("/watch testery:chekout/stagin", "no pipeline", f"testery:{CHECKOUT}"),
        ("/watch mute chekout/stagin 2h", "no pipeline", f"testery:{CHECKOUT}"),
        ("/watch unmute chekout/stagin", "is not muted here", "/watch list"),
        ("/watch test chekout/stagin", "no pipeline", f"testery:{CHECKOUT}"),
        ("/watch off chekout/stagin", "does not watch chekout/stagin", "/watch list"),
    ],
)
def test_a_misspelt_name_changes_nothing_and_is_asked_about(
    trio: Trio, typed: str, says: str, offered: str
) -> None:
    answer = trio.person().asks(typed)
    assert says in answer.text
    assert not offered or offered in answer.text
    assert is_untouched(trio)


def test_names_of_here_are_suggested_to_end_a_mute_or_a_watch(trio: Trio) -> None:
    olivia = trio.person()
    olivia.asks(f"/watch {CHECKOUT}")
    olivia.asks(f"/watch mute {CHECKOUT} 2h")
    for verb in ("unmute", "off"):
        answer = olivia.asks(f"/watch {verb} chekout/stagin")
        assert f"[/watch {verb} testery:{CHECKOUT}]" in answer.text
    assert len(room_mutes(trio)) == len(watched(trio)) == 1


def room_mutes(room: Newsroom) -> list[dict[str, object]]:
    return room.query("SELECT * FROM mutes")


def test_a_name_that_two_may_know_is_a_question(newsroom: Open) -> None:
    """Debci takes any name of the right form."""
    room = newsroom()
    olivia = room.person()
    both = [f"/watch wercker:{SHOP}", f"/watch debci:{SHOP}"]
    asked = olivia.asks(f"/watch {SHOP}").text
    assert "in more than one place; which one?" in asked
    assert all(f"[{one}]" in asked for one in both)
    assert is_untouched(room)

    for one in both:
        olivia.asks(one)
    for command in (f"mute {SHOP} 2h", f"off {SHOP}", f"test {SHOP}"):
        assert "which one?" in olivia.asks(f"/watch {command}").text
    assert len(watched(room)) == 2
    assert room_mutes(room) == []
    for one in both:
        olivia.asks(one.replace("watch", "watch mute") + " 2h")
    assert "which one?" in olivia.asks(f"/watch unmute {SHOP}").text
    assert len(room_mutes(room)) == 2


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("testery:chekuot-*/staging", f"nothing matches it today; the nearest: testery:{CHECKOUT}"),
        ("checkuot*", "nothing matches it today"),
        ("testery:check*", ""),
        ("check*", ""),
    ],
)
def test_a_glob_that_nothing_matches_is_taken_and_said(trio: Trio, typed: str, says: str) -> None:
    answer = trio.person().asks(f"/watch {typed}").text
    assert "I will post here" in answer
    assert says in answer
    assert ("ⓘ" in answer) is bool(says)


def test_an_application_that_is_not_there_and_one_that_is_but_not_configured(
    newsroom: Open,
) -> None:
    room = newsroom(BOT_PROVIDERS__WERCKER__APPLICATIONS="acme/catalog")
    room.wercker.add_run(SHOP, age_s=60)
    olivia = room.person()
    assert "nothing matches it today" in olivia.asks("/watch wercker:other/app/*").text
    assert "ⓘ" not in olivia.asks("/watch wercker:acme/shop/*").text


def test_a_vendor_that_does_not_answer_proves_nothing(newsroom: Open) -> None:
    room = newsroom()
    room.break_down("wercker", status=503)
    answer = room.person().asks("/watch wercker:acme/shop/nope*").text
    assert "I will post here" in answer
    assert "ⓘ" not in answer


def test_what_an_instance_cannot_list_is_said_only_where_it_is_meant(tmp_path: Path) -> None:
    with Trio(tmp_path, BOT_PROVIDERS__ALLURE__PROJECTS=None) as trio:
        olivia = trio.person()
        assert "allure" not in olivia.asks("/watch check*").text
        assert "ⓘ allure: PROJECTS is not set" in olivia.asks("/watch *").text
        assert "PROJECTS is not set" in olivia.asks("/watch allure:*").text
        assert watched(trio) == ["*:check*", "*:*"]


def test_applications_that_are_configured_are_listed(newsroom: Open) -> None:
    room = newsroom()
    refused = room.person().asks("/watch wercker:nope*").text
    assert "nothing that wercker lists is named like" in refused
    assert "lists nothing by itself" not in refused
    bare = room.person().asks("/watch nope*").text
    assert "wercker" not in bare
    assert watched(room) == ["*:nope*"]


def test_a_name_that_nobody_can_check_is_taken_and_its_emptiness_said(newsroom: Open) -> None:
    answer = newsroom().person().asks("/watch debci:testing/amd64/helo").text
    assert "I will post here when debci:testing/amd64/helo fails" in answer
    assert "ⓘ no such run is known yet" in answer
