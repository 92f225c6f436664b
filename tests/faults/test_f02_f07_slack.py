"""F2 to F7: what Slack may do to a message, and what people see then."""

from collections.abc import Callable

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS, CI_ALERTS, OPERATOR
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]
POST, EDIT = "/api/chat.postMessage", "/api/chat.update"
HISTORY = "/api/conversations.history"


def posts(room: Newsroom, channel: str = BUILDS) -> int:
    """How often a message was tried in a channel."""
    return sum(c.args.get("channel") == channel for c in room.slack.calls("chat.postMessage"))


def saying(room: Newsroom, words: str, channel: str = BUILDS) -> int:
    """How many messages say so."""
    return sum(words in m.visible for m in room.told(channel))


def drained(room: Newsroom, limit_s: float = 40.0) -> None:
    query = (
        "SELECT (SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending'))"
        " + (SELECT count(*) FROM digests WHERE is_stale = 1) AS n"
    )
    room.wait(lambda: not room.query(query)[0]["n"], "an empty outbox", limit_s)


def watch_both(newsroom: Open, **environ: str) -> Newsroom:
    watches = (
        f'[{{"channel": "{BUILDS}", "pipeline": "wercker:*"}},'
        f' {{"channel": "{CI_ALERTS}", "pipeline": "wercker:*"}}]'
    )
    room = newsroom(BOT_WATCHES=watches, **environ)
    room.polls_twice()
    return room


def watch(newsroom: Open, **environ: str) -> Newsroom:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, **environ)
    room.polls_twice()
    return room


def test_f2_reply_lost_one_message(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(Fault(path=POST, drop_after=True, times=1))
    run = room.ends("failed")
    room.waits_for(run.id)
    drained(room)
    assert (saying(room, run.id), posts(room)) == (1, 1)


def test_f2_request_lost_is_sent_again_after_two_looks(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(Fault(path=POST, drop_before=True, times=1))
    run = room.ends("failed")
    room.waits_for(run.id)
    drained(room)
    assert saying(room, run.id) == 1
    assert len(room.slack.calls("conversations.history")) == 2


ODD = (b"<html>busy</html>", b"", b'{"ok":', b"[]", b"null", b'"ok"', b'{"ok":true}', b'{"ok":1}')


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("body", ODD)
def test_f2_an_answer_that_cannot_be_read_is_no_answer(
    newsroom: Open,
    body: bytes,
    is_done: bool,  # noqa: FBT001
) -> None:
    room = watch(newsroom)
    odd = {"garbled": body} if is_done else {"status": 200, "body": body}
    room.slack.faults.add(Fault(path=POST, times=1, **odd))
    room.slack.faults.add(Fault(path=HISTORY, times=1, status=200, body=body))
    run = room.ends("failed")
    room.wait(lambda: room.slack.calls("conversations.history"), "a look", 30)
    drained(room)
    assert saying(room, run.id) == 1
    assert posts(room) == 1
    assert "thread.died" not in room.log.events()


def test_f2_a_failed_look_is_no_look(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(Fault(path=POST, drop_after=True, times=1))
    room.slack.faults.add(Fault(path=HISTORY, status=503, times=2))
    run = room.ends("failed")
    room.wait(lambda: room.slack.calls("conversations.history"), "a look", 30)
    drained(room)
    assert (saying(room, run.id), posts(room)) == (1, 1)


def test_f2_without_the_history_scope_it_is_sent_again(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.scopes.discard("channels:history")
    room.slack.faults.add(Fault(path=POST, drop_after=True, times=1))
    run = room.ends("failed")
    room.wait(lambda: saying(room, run.id) == 2, "the second one", 30)
    drained(room)


def test_f2_without_the_history_scope_it_is_held_where_told_so(newsroom: Open) -> None:
    room = watch(newsroom, BOT_UNSEEN="hold")
    room.slack.scopes.discard("channels:history")
    room.slack.faults.add(Fault(path=POST, drop_before=True, times=1))
    run = room.ends("failed")
    room.wait(lambda: "outbox.held" in room.log.events(), "held", 30)
    drained(room)
    assert saying(room, run.id) == 0


def test_f3_a_429_on_one_channel_pauses_that_one_only(newsroom: Open) -> None:
    room = watch_both(newsroom)
    room.slack.faults.add(
        Fault(
            path=POST,
            status=429,
            body=b'{"ok":false,"error":"ratelimited"}',
            times=1,
            headers={"Retry-After": "3", "Content-Type": "application/json"},
        )
    )
    run = room.ends("failed")
    everywhere = lambda: (saying(room, run.id), saying(room, run.id, CI_ALERTS))  # noqa: E731
    room.wait(lambda: sum(everywhere()) == 1, "one of two")
    room.wait(lambda: sum(everywhere()) == 2, "both")
    drained(room)
    assert everywhere() == (1, 1)


def test_f3_order_is_kept_through_429s(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(
        Fault(
            path=POST,
            status=429,
            body=b'{"ok":false,"error":"ratelimited"}',
            times=2,
            headers={"Retry-After": "1", "Content-Type": "application/json"},
        )
    )
    first, second = (room.ends("failed", branch=name) for name in ("one", "two"))
    room.waits_for(second.id)
    texts = [m.visible for m in room.told()]
    assert [first.id in texts[0], second.id in texts[1]] == [True, True]
    assert len(texts) == 2


def test_f4_slack_down_then_one_digest(newsroom: Open) -> None:
    room = watch(newsroom)
    away = room.slack.faults.add(Fault(path=POST, status=503, times=10**9))
    runs = [room.ends("failed", branch=f"b{number}") for number in range(12)]
    room.polls_twice()
    seen = "SELECT count(*) AS n FROM runs WHERE status = 'failed' AND branch LIKE 'b%'"
    room.wait(lambda: room.query(seen)[0]["n"] == len(runs), "all of them read")
    folded = "SELECT count(*) AS n FROM outbox WHERE state = 'folded'"
    room.wait(lambda: room.query(folded)[0]["n"] >= 10, "most of them folded")
    away.times = 0
    drained(room)
    digests = [m for m in room.told() if "failing runs in" in m.visible]
    assert len(digests) == 1
    assert len(room.told()) <= 3
    singles = sum(any(f"{run.id}" in m.visible for run in runs) for m in room.told()) - 1
    total = int(digests[0].text.split("failing runs")[0].split()[-1])
    assert total + singles == len(runs)


def test_f5_a_revoked_token_pauses_and_resumes_by_itself(newsroom: Open) -> None:
    room = watch(newsroom)
    refused = room.slack.faults.add(
        Fault(
            path=POST,
            status=200,
            body=b'{"ok":false,"error":"token_revoked"}',
            headers={"Content-Type": "application/json"},
        )
    )
    run = room.ends("failed")
    room.wait(lambda: "slack_refuses_posts" in room.bot.unready(), "red")
    assert saying(room, run.id) == 0
    refused.times = 0
    room.wait(lambda: saying(room, run.id) == 1, "the alert", 40)
    room.wait(lambda: not room.bot.unready(), "green")


def test_f6_a_channel_that_is_gone_suspends_its_watches_and_harms_no_other(
    newsroom: Open,
) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks("/watch wercker:*")
    room.person(channel=CI_ALERTS).asks("/watch wercker:*")
    room.polls_twice()
    room.slack.channel(BUILDS).is_archived = True
    run = room.ends("failed")
    room.waits_for(run.id, CI_ALERTS)
    told = lambda: [m for m in room.told(room.slack.dm(OPERATOR)) if "no longer post" in m.visible]  # noqa: E731
    room.wait(told, "its maker is told")
    second = room.ends("failed", CATALOG)
    room.waits_for(second.id, CI_ALERTS)
    drained(room)
    assert len(told()) == 1
    assert f"<#{BUILDS}>: I can no longer post there (Slack says is_archived)" in told()[0].visible
    kept = next(row for row in room.query("SELECT * FROM watches") if row["channel"] == BUILDS)
    assert "is_archived" in kept["suspended_because"]


def test_f7_a_deleted_card_comes_back_with_the_next_failure_and_takes_the_rest(
    newsroom: Open,
) -> None:
    room = watch(newsroom)
    card = room.waits_for(room.ends("failed").id)
    room.slack.delete_message(card)
    again = room.ends("failed")
    fresh = room.waits_for(again.id)
    assert fresh.thread_ts is None
    drained(room)
    third = room.ends("failed")
    room.waits_for(third.id)
    drained(room)
    roots = [m for m in room.told() if not m.is_reply]
    replies = [m for m in room.told() if m.is_reply]
    assert [m.ts for m in roots] == [fresh.ts]
    assert {m.thread_ts for m in replies} == {fresh.ts}
    assert sum(third.id in m.visible for m in replies) == 1


def test_f7_a_deleted_card_that_is_fixed_stays_away(newsroom: Open) -> None:
    room = watch(newsroom)
    card = room.waits_for(room.ends("failed").id)
    room.slack.delete_message(card)
    room.ends("passed")
    room.polls_twice()
    drained(room)
    assert room.told() == []


def test_a_card_that_slack_refuses_is_sent_as_plain_text(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(
        Fault(
            path=POST,
            status=200,
            body=b'{"ok":false,"error":"invalid_blocks"}',
            times=1,
            headers={"Content-Type": "application/json"},
        )
    )
    message = room.waits_for(room.ends("failed").id)
    assert message.blocks == []
    assert SHOP in message.text


def test_a_refused_card_is_counted_and_the_next_failure_is_not_lost(newsroom: Open) -> None:
    room = watch(newsroom)
    room.slack.faults.add(
        Fault(
            path=POST,
            status=200,
            body=b'{"ok":false,"error":"invalid_blocks"}',
            times=2,
            headers={"Content-Type": "application/json"},
        )
    )
    room.ends("failed")
    room.wait(lambda: "slack_refused_message" in room.bot.unready(), "red")
    again = room.ends("failed")
    room.waits_for(again.id)
    assert b'bot_sends_total{outcome="message refused"} 1.0' in room.bot._metrics.text()
