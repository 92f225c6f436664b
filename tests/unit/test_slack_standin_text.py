"""What Slack makes of typed text, and how a message reads."""

from bot.playground.clock import ManualClock
from bot.playground.slack.messages import find_element, texts
from bot.playground.slack.typed_text import as_sent
from bot.playground.slack.workspace import Workspace

WORKSPACE = Workspace(ManualClock())


def test_a_command_carries_names_beside_ids() -> None:
    sent = as_sent("by=@max in #builds", WORKSPACE, with_names=True)
    assert sent == "by=<@U0MEMBER01|max> in <#C0BUILDS01|builds>"


def test_a_message_carries_ids_alone() -> None:
    assert as_sent("hi @max", WORKSPACE, with_names=False) == "hi <@U0MEMBER01>"


def test_control_characters_are_escaped_once() -> None:
    sent = as_sent("<!channel> a & b", WORKSPACE, with_names=True)
    assert sent == "&lt;!channel&gt; a &amp; b"


def test_a_url_stands_in_angle_brackets_and_its_parts_are_left_alone() -> None:
    sent = as_sent("see https://a.test/x?u=1&c=#builds", WORKSPACE, with_names=True)
    assert sent == "see <https://a.test/x?u=1&amp;c=#builds>"


def test_unknown_names_and_run_numbers_stay_as_typed() -> None:
    for typed in ("@nobody", "#3", "a@max.test", "nightly@last-failed"):
        assert as_sent(typed, WORKSPACE, with_names=True) == typed


def test_timestamps_rise_while_the_clock_stands_still() -> None:
    workspace = Workspace(ManualClock())
    stamps = [workspace.next_ts() for _ in range(1000)]
    assert stamps == sorted(set(stamps), key=float)


BLOCKS = [
    {"type": "section", "block_id": "one", "text": {"type": "mrkdwn", "text": "first run"},
     "accessory": {"type": "button", "action_id": "abort", "value": "1",
                   "text": {"type": "plain_text", "text": "Abort"}}},
    {"type": "section", "block_id": "two", "text": {"type": "mrkdwn", "text": "second run"},
     "accessory": {"type": "button", "action_id": "abort", "value": "2",
                   "text": {"type": "plain_text", "text": "Abort"}}},
]  # fmt: skip


def test_an_element_is_found_by_label_action_id_and_block() -> None:
    found = [find_element(BLOCKS, *wanted) for wanted in (
        ("abort",), ("Abort", "second run"), ("abort", "two"), ("Retry",),
    )]  # fmt: skip
    assert [item and item["value"] for item in found] == ["1", "2", "2", None]


def test_a_message_reads_from_top_to_bottom() -> None:
    assert list(texts(BLOCKS)) == ["first run", "Abort", "second run", "Abort"]
