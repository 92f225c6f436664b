"""The stand-in's Web API, with slack_sdk's client as the judge."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.slack.people import (
    ARCHIVED,
    BOT_USER,
    BUILDS,
    CI_ALERTS,
    GENERAL,
    GUEST,
    MEMBER,
    OPERATOR,
    OPERATORS_GROUP,
    PRIVATE,
    STRANGER,
    Channel,
)
from bot.playground.slack.standin import SlackStandin
from tests.fakes.slack import client, standing_in

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
METADATA = {"event_type": "run_failed", "event_payload": {"run": "testery:1", "n": 3}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def slack(clock: ManualClock) -> Iterator[SlackStandin]:
    with standing_in(clock) as held:
        yield held


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return client(slack)


def refusal(call: Callable[..., Any], **arguments: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value


def error(call: Callable[..., Any], **arguments: Any) -> str:
    return str(refusal(call, **arguments).response["error"])


def test_auth_test_says_who_the_bot_is_and_what_it_may_do(web: WebClient) -> None:
    reply = web.auth_test()
    assert (reply["user_id"], reply["team_id"]) == (BOT_USER, "T0SAMPLE01")
    assert "chat:write" in reply.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "name"),
    [("", "not_authed"), ("xoxb-other", "invalid_auth"), ("xapp-sample-app-token", "not_allowed")],
)
def test_a_wrong_token_is_named(slack: SlackStandin, token: str, name: str) -> None:
    assert error(client(slack, token).auth_test).startswith(name)


def test_a_refusal_is_http_200(slack: SlackStandin) -> None:
    reply = requests.post(f"{slack.api_url}auth.test", timeout=5)
    assert (reply.status_code, reply.json()["error"]) == (200, "not_authed")


def test_a_token_counts_in_a_form_and_not_in_json(slack: SlackStandin) -> None:
    url, body = f"{slack.api_url}auth.test", {"token": slack.bot_token}
    assert requests.post(url, data=body, timeout=5).json()["ok"]
    assert requests.post(url, json=body, timeout=5).json()["error"] == "not_authed"


def test_a_revoked_token_is_named(slack: SlackStandin, web: WebClient) -> None:
    slack.revoke(slack.bot_token)
    assert error(web.auth_test) == "token_revoked"


def test_a_missing_scope_is_named(slack: SlackStandin, web: WebClient) -> None:
    slack.scopes.discard("chat:write")
    reply = refusal(web.chat_postMessage, channel=BUILDS, text="x").response
    assert (reply["error"], reply["needed"]) == ("missing_scope", "chat:write")
    assert "users:read" in reply["provided"]


def test_an_unknown_method_is_named(web: WebClient) -> None:
    assert error(web.api_call, api_method="chat.sing") == "unknown_method"


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("C0NOWHERE1", "channel_not_found"),
        (ARCHIVED, "is_archived"),
        ("", "channel_not_found"),
    ],
)
def test_where_a_message_cannot_go_is_named(web: WebClient, channel: str, name: str) -> None:
    assert error(web.chat_postMessage, channel=channel, text="x") == name


def test_posting_where_the_bot_is_no_member_needs_a_scope(
    slack: SlackStandin, web: WebClient
) -> None:
    assert web.chat_postMessage(channel=GENERAL, text="x")["ok"]
    slack.scopes.discard("chat:write.public")
    assert error(web.chat_postMessage, channel=GENERAL, text="x") == "not_in_channel"


def test_a_private_channel_without_the_bot_does_not_exist(
    slack: SlackStandin, web: WebClient
) -> None:
    slack.channel(PRIVATE).members.discard(BOT_USER)
    assert error(web.conversations_info, channel=PRIVATE) == "channel_not_found"


def test_history_needs_membership(web: WebClient) -> None:
    assert error(web.conversations_history, channel=GENERAL) == "not_in_channel"


def test_a_person_is_written_to_in_their_direct_message(
    slack: SlackStandin, web: WebClient
) -> None:
    posted = web.chat_postMessage(channel=MEMBER, text="for you")
    assert posted["channel"] == web.conversations_open(users=MEMBER)["channel"]["id"]
    assert [m.text for m in slack.messages(slack.dm(MEMBER))] == ["for you"]


def test_a_message_must_say_something(web: WebClient) -> None:
    sent = {"channel": BUILDS, "text": " "}
    assert error(web.api_call, api_method="chat.postMessage", json=sent) == "no_text"


def test_refused_blocks_name_the_place(web: WebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "h" * 151}}
    reply = refusal(web.chat_postMessage, channel=BUILDS, text="x", blocks=[SECTION, header])
    words = "must be less than 151 characters [json-pointer:/blocks/1/text/text]"
    assert reply.response["error"] == "invalid_blocks"
    assert reply.response["errors"] == [words]
    assert reply.response["response_metadata"]["messages"] == [f"[ERROR] {words}"]


def test_too_much_text_in_blocks_is_refused(web: WebClient) -> None:
    big = {"type": "section", "text": {"type": "mrkdwn", "text": "t" * 3000}}
    got = error(web.chat_postMessage, channel=BUILDS, text="x", blocks=[big] * 5)
    assert got == "msg_blocks_too_long"


def test_blocks_that_are_no_json_are_refused(web: WebClient) -> None:
    got = error(
        web.api_call, api_method="chat.postMessage", data={"channel": BUILDS, "blocks": "["}
    )
    assert got == "invalid_blocks_format"


def test_a_long_text_is_cut(slack: SlackStandin, web: WebClient) -> None:
    web.chat_postMessage(channel=BUILDS, text="t" * 40_001)
    assert len(slack.messages(BUILDS)[0].text) == 40_000


def test_metadata_comes_back_when_asked_for(web: WebClient) -> None:
    web.chat_postMessage(channel=BUILDS, text="x", metadata=METADATA)
    bare = web.conversations_history(channel=BUILDS)["messages"][0]
    full = web.conversations_history(channel=BUILDS, include_all_metadata=True)["messages"][0]
    assert "metadata" not in bare
    assert full["metadata"] == METADATA


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": "b" * 9000}}, "metadata_too_large"),
    ],
)
def test_bad_metadata_is_refused(web: WebClient, metadata: dict[str, Any], name: str) -> None:
    got = error(web.chat_postMessage, channel=BUILDS, text="x", metadata=json.dumps(metadata))
    assert got == name


def test_text_alone_removes_the_blocks_and_marks_the_message_edited(
    slack: SlackStandin, web: WebClient
) -> None:
    posted = web.chat_postMessage(channel=BUILDS, text="a", blocks=[SECTION])
    web.chat_update(channel=BUILDS, ts=posted["ts"], text="b", blocks=[SECTION])
    assert (slack.messages(BUILDS)[0].edited, len(slack.messages(BUILDS)[0].blocks)) == (None, 1)
    web.chat_update(channel=BUILDS, ts=posted["ts"], text="c")
    seen = slack.messages(BUILDS)[0]
    assert (seen.text, seen.blocks) == ("c", [])
    assert seen.edited


def test_an_update_keeps_metadata_unless_it_brings_its_own(web: WebClient) -> None:
    posted = web.chat_postMessage(channel=BUILDS, text="a", metadata=METADATA)
    web.chat_update(channel=BUILDS, ts=posted["ts"], text="b")
    kept = web.conversations_history(channel=BUILDS, include_all_metadata=True)["messages"][0]
    assert kept["metadata"] == METADATA


def test_what_cannot_be_updated_is_named(slack: SlackStandin, web: WebClient) -> None:
    theirs = slack.say(MEMBER, BUILDS, "mine")
    whispered = web.chat_postEphemeral(channel=BUILDS, user=MEMBER, text="psst")["message_ts"]
    update = web.chat_update
    assert error(update, channel=BUILDS, ts="1.000000", text="x") == "message_not_found"
    assert error(update, channel=BUILDS, ts=theirs.ts, text="x") == "cant_update_message"
    assert error(update, channel=BUILDS, ts=whispered, text="x") == "message_not_found"
    assert error(update, channel="builds", ts=theirs.ts, text="x") == "channel_not_found"


def test_a_deleted_message_is_gone(slack: SlackStandin, web: WebClient) -> None:
    posted = web.chat_postMessage(channel=BUILDS, text="x")
    web.chat_delete(channel=BUILDS, ts=posted["ts"])
    assert slack.messages(BUILDS) == []
    assert error(web.chat_delete, channel=BUILDS, ts=posted["ts"]) == "message_not_found"


def test_only_one_person_sees_an_ephemeral_message(slack: SlackStandin, web: WebClient) -> None:
    web.chat_postEphemeral(channel=CI_ALERTS, user=OPERATOR, text="psst")
    assert [m.text for m in slack.messages(CI_ALERTS, viewer=OPERATOR)] == ["psst"]
    assert slack.messages(CI_ALERTS, viewer=MEMBER) == slack.messages(CI_ALERTS) == []
    assert web.conversations_history(channel=CI_ALERTS)["messages"] == []
    got = error(web.chat_postEphemeral, channel=CI_ALERTS, user=STRANGER, text="x")
    assert got == "user_not_in_channel"


def test_replies_stand_in_the_thread_and_not_in_the_channel(web: WebClient) -> None:
    top = web.chat_postMessage(channel=BUILDS, text="top")["ts"]
    web.chat_postMessage(channel=BUILDS, text="reply", thread_ts=top)
    web.chat_postMessage(channel=BUILDS, text="shout", thread_ts=top, reply_broadcast=True)
    history = web.conversations_history(channel=BUILDS)["messages"]
    thread = web.conversations_replies(channel=BUILDS, ts=top)["messages"]
    assert [m["text"] for m in history] == ["shout", "top"]
    assert [m["text"] for m in thread] == ["top", "reply", "shout"]
    assert (history[1]["reply_count"], history[1]["thread_ts"]) == (2, top)


def test_history_is_read_in_pages_and_within_bounds(slack: SlackStandin, web: WebClient) -> None:
    stamps = [slack.say(MEMBER, BUILDS, str(n)).ts for n in range(5)]
    pages = [p["messages"] for p in web.conversations_history(channel=BUILDS, limit=2)]
    assert [[m["text"] for m in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]
    within = web.conversations_history(channel=BUILDS, oldest=stamps[1], latest=stamps[3])
    assert [m["text"] for m in within["messages"]] == ["2"]
    bounds = web.conversations_history(
        channel=BUILDS, oldest=stamps[1], latest=stamps[3], inclusive=True
    )
    assert [m["text"] for m in bounds["messages"]] == ["3", "2", "1"]


def test_people_are_told_apart(web: WebClient) -> None:
    guest, stranger = (web.users_info(user=who)["user"] for who in (GUEST, STRANGER))
    assert guest["is_ultra_restricted"]
    assert stranger["is_stranger"]
    assert stranger["team_id"] != guest["team_id"]
    assert error(web.users_info, user="U0NOBODY01") == "user_not_found"


def test_a_user_group_names_its_people(web: WebClient) -> None:
    assert OPERATOR in web.usergroups_users_list(usergroup=OPERATORS_GROUP)["users"]
    assert error(web.usergroups_users_list, usergroup="S0NOTHING1") == "no_such_subteam"


def test_channels_are_listed_by_type(slack: SlackStandin, web: WebClient) -> None:
    slack.add(Channel("C0NEW00001", "new", {OPERATOR}))
    public = [c["name"] for c in web.conversations_list(exclude_archived=True)["channels"]]
    private = [c["name"] for c in web.conversations_list(types="private_channel")["channels"]]
    assert {"new", "builds"} <= set(public)
    assert "old-builds" not in public
    assert private == ["release-room"]


def test_a_permalink_leads_to_the_message(web: WebClient) -> None:
    posted = web.chat_postMessage(channel=BUILDS, text="x")
    link = web.chat_getPermalink(channel=BUILDS, message_ts=posted["ts"])["permalink"]
    assert link.endswith(f"/archives/{BUILDS}/p{posted['ts'].replace('.', '')}")


def test_a_channel_takes_a_short_burst_and_then_one_message_a_second(
    clock: ManualClock, slack: SlackStandin, web: WebClient
) -> None:
    for _ in range(slack.strict.message_burst):
        web.chat_postMessage(channel=BUILDS, text="x")
    late = refusal(web.chat_postMessage, channel=BUILDS, text="x").response
    assert (late.status_code, late["error"]) == (429, "ratelimited")
    assert int(late.headers["Retry-After"]) == 1
    assert web.chat_postMessage(channel=CI_ALERTS, text="another channel")["ok"]
    clock.advance(1)
    assert web.chat_postMessage(channel=BUILDS, text="x")["ok"]
    assert len(slack.messages(BUILDS)) == slack.strict.message_burst + 1


def test_a_method_has_its_tier(clock: ManualClock, slack: SlackStandin, web: WebClient) -> None:
    for _ in range(20):
        web.users_list()
    assert refusal(web.users_list).response.status_code == 429
    slack.strict.tier_limits = False
    assert web.users_list()["ok"]


def test_limits_can_be_switched_off(slack: SlackStandin, web: WebClient) -> None:
    slack.strict.rate_limit = False
    for n in range(20):
        web.chat_postMessage(channel=BUILDS, text=str(n))
    assert len(slack.messages(BUILDS)) == 20


def test_calls_are_recorded_with_their_arguments(slack: SlackStandin, web: WebClient) -> None:
    web.chat_postMessage(channel=BUILDS, text="x", blocks=[SECTION], metadata=METADATA)
    call = slack.calls("chat.postMessage")[0]
    assert (call.args["blocks"], call.args["metadata"]) == ([SECTION], METADATA)
    assert call.reply["ok"]


def test_a_reply_can_be_lost_after_the_message_was_taken(
    slack: SlackStandin, web: WebClient
) -> None:
    slack.faults.add(Fault(path="/api/chat.postMessage", times=1, drop_after=True))
    with pytest.raises(Exception, match=r"(?i)remote end closed|reset"):
        web.chat_postMessage(channel=BUILDS, text="x")
    assert [m.text for m in slack.messages(BUILDS)] == ["x"]


def test_blocks_validate_takes_exactly_one_thing(web: WebClient) -> None:
    assert web.blocks_validate(blocks=[SECTION])["ok"]
    assert error(web.blocks_validate, blocks=[{"type": "section"}]) == "invalid_blocks"
    assert error(web.blocks_validate) == "invalid_arguments"
