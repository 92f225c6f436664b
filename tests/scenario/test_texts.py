"""Text both ways: what phones make of commands, and what vendors put into names."""

import json

import pytest

from bot.playground.slack.people import BUILDS, MEMBER, OPERATOR
from bot.playground.vendors.debci_model import Outcome
from tests.fakes.stage import ENTRIES, SHOP, Entry, Player, Stage

BUILD = f"wercker:{SHOP}"
HOSTILE = {
    "pings the channel": "<!channel> <!here> <!everyone>",
    "pings people": f"<@{MEMBER}> <!subteam^S0OPERATRS> @here",
    "a link in disguise": "<https://evil.example|https://good.example>",
    "markup": "*bold* _it_ ~no~ `code` ```block```",
    "lines": "first\nsecond\r\nthird\u2028fourth",
    "a quote": "> said nobody",
    "right to left": "abc\u202edcba\u202c \u2066x\u2069",
    "control characters": "a\x00b\x07c\x1b[31mred",
    "entities": "&lt;!channel&gt; &amp; <b>",
    "emoji": ":rotating_light: :tada:",
    "broken unicode": "\ud800 \udfff".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "long": "x" * 5000,
    "wide": "\U0001f4a5" * 3000,
    "nothing but blanks": " \t\u00a0 ",
    "a date": "<!date^0^{date}^https://evil.example|now>",
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "typed",
    [
        "{b} branch=main message=\u201cnew image\u201d",
        "{b} branch=main message=\u2018new image\u2019",
        "{b} branch=main message=\u201enew image\u201c",
        "{b}\u00a0branch=main\u2009message='new\u00a0image'",
        "{b} \u2014branch main \u2013message 'new image'",
        "{b} --branch=main --message 'new image'",
        "`{b}` branch=main message='new image'",
        "{b}  branch=main \t message='new image' ",
        "{b} main message='new image'",
    ],
)
def test_what_phones_make_of_a_command(
    stage: Stage, olivia: Player, typed: str, entry: Entry
) -> None:
    olivia.acts(f"/trigger {typed.format(b=BUILD)}", entry)

    body = stage.body()
    assert body["branch"] == "main"
    assert body["message"].replace("\u00a0", " ") == "new image"


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("message", ["a < b && c > d", "&lt;b&gt;", "it's 50 % of 3 * 4"])
def test_slacks_escaping_is_undone(
    stage: Stage, olivia: Player, message: str, entry: Entry
) -> None:
    olivia.acts(f'/trigger {BUILD} message="{message}"', entry)

    assert stage.body()["message"] == message


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_address_is_what_it_is(stage: Stage, olivia: Player, entry: Entry) -> None:
    olivia.acts(f"/trigger {BUILD} message=https://example.com/?a=1&b=2 branch=main", entry)

    assert stage.body()["message"] == "https://example.com/?a=1&b=2"
    assert stage.body()["branch"] == "main"


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_name_in_a_reason_pings_nobody(stage: Stage, olivia: Player, entry: Entry) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    card = olivia.acts(f"/abort wercker:{run.id} because @max and #builds and @here said so", entry)

    read = stage.marked_up(card)
    assert f"<@{MEMBER}" not in read
    assert "<!" not in read.replace("<!date^", "")
    assert "said so" in card.text


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_names_are_shown_as_they_are(stage: Stage, olivia: Player, what: str) -> None:
    """The stand-in refuses illegal blocks, as Slack does; then the asker would see nothing."""
    text = HOSTILE[what]
    run = stage.wercker.add_run(
        SHOP, text[:200] or "x", result="failed", age_s=50, message=text, commit_hash="c0ffee"
    )
    olivia.asks("/runs")
    olivia.asks("/runs #1")
    olivia.asks(f"/runs wercker:{run.id} log")
    olivia.acts(f"/retry wercker:{run.id}")
    shown = "\n".join(map(stage.marked_up, olivia.screen()))

    for forbidden in (
        "<!channel",
        "<!here",
        "<!everyone",
        "<!subteam",
        f"<@{MEMBER}",
        "<https://evil",
    ):
        assert forbidden not in shown
    for odd in "\u202e\u202c\u2066\u2028\x00\x07\x1b":
        assert odd not in shown
    assert f"wercker:{run.id}" in shown
    assert len(stage.slack.calls("chat.postEphemeral")) == 0, "response_url took every answer"
    assert all("error" not in c.reply for c in stage.slack.calls())


@pytest.mark.parametrize("what", ["pings the channel", "markup", "lines", "control characters"])
def test_hostile_words_of_an_error(stage: Stage, olivia: Player, what: str) -> None:
    said = json.dumps({"statusCode": 400, "error": "Bad Request", "message": HOSTILE[what]})
    stage.break_down("wercker", method="POST", status=400, body=said.encode())

    card = olivia.acts(f"/trigger {BUILD}")

    assert "— refused" in card.text
    assert "<!channel" not in card.visible
    assert "\x00" not in card.visible


def test_hostile_log_lines(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    lines = "\n".join([*HOSTILE.values(), "password=hunter2-canary", "\x1b[31mred\x1b[0m"])
    stage.break_down("wercker", path=".*/log", status=200, body=lines.encode(errors="replace"))

    answer = olivia.asks(f"/runs wercker:{run.id} log test 50")

    assert "<!channel>" not in answer.visible
    assert "hunter2-canary" not in answer.visible
    assert "\x1b" not in answer.visible
    assert "red" in answer.visible


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("command", ["/runs", "/abort", f"/trigger {BUILD}"])
def test_any_text_may_be_typed(stage: Stage, olivia: Player, what: str, command: str) -> None:
    typed = f"{command} {HOSTILE[what]}".replace("\n", " ")
    if what == "nothing but blanks" and command.startswith("/trigger"):
        olivia.acts(typed)
        return
    answer = olivia.settled(olivia.asks(typed))

    assert "<!" not in stage.marked_up(answer).replace("<!date^1", "")
    assert "fault in the bot" not in answer.text
    assert answer.ephemeral_for == OPERATOR or command.startswith("/trigger")


def test_a_long_list_fits_into_one_message(stage: Stage, olivia: Player) -> None:
    for number in range(60):
        branch = f"branch-{number}-" + "*" * 190
        stage.debci.add_run(f"package{number}", age_s=100 + number)
        stage.wercker.add_run(SHOP, branch, age_s=90 + number)

    answer = olivia.asks("/runs limit=50")

    assert "50 shown" in answer.visible
    assert len(answer.blocks) <= 50
    assert stage.slack.calls("chat.postEphemeral") == []


def test_the_failing_of_a_hostile_package(stage: Stage, olivia: Player) -> None:
    run = stage.debci.add_run(
        "hello", outcome=Outcome("fail", message="<!channel> *failed*\nbadly"), age_s=50
    )
    answer = olivia.asks(f"/runs debci:{run.run_id}")

    assert "<!channel>" not in answer.visible
    assert stage.slack.messages(BUILDS) == []
