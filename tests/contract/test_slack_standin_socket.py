"""Socket Mode, with slack_sdk's aiohttp client at the other end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.playground.slack.people import (
    APP_ID,
    BUILDS,
    CI_ALERTS,
    GENERAL,
    HOME_TEAM,
    MEMBER,
    OPERATOR,
    OTHER_TEAM,
    SHARED,
    STRANGER,
)
from bot.playground.slack.standin import SlackStandin
from tests.fakes.slack import client, standing_in
from tests.fakes.tiny_app import UNACKED, TinyApp


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with standing_in(retry_waits_s=(0.0, 0.0, 0.0)) as held:
        yield held


def bare(request: SocketModeRequest) -> None:
    del request


def echo(request: SocketModeRequest) -> dict[str, Any] | None:
    return {"text": f"heard {request.payload['text']}"} if "command" in request.payload else None


def test_a_command_reaches_the_app_and_its_ack_reaches_the_person(slack: SlackStandin) -> None:
    with TinyApp(slack, echo):
        outcome = slack.slash(OPERATOR, CI_ALERTS, "/runs failing & more")
    assert outcome.acked
    assert 0 < outcome.acked_s < slack.strict.ack_limit_s
    assert [m.text for m in slack.messages(CI_ALERTS, OPERATOR)] == ["heard failing &amp; more"]
    assert slack.messages(CI_ALERTS, MEMBER) == []


def test_a_command_has_the_fields_of_the_platform(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        slack.slash(OPERATOR, CI_ALERTS, "/runs")
        payload = app.requests[0].payload
    assert app.requests[0].accepts_response_payload
    assert payload["response_url"].startswith(slack.url)
    expected = {
        "command": "/runs",
        "text": "",
        "user_id": OPERATOR,
        "team_id": HOME_TEAM,
        "channel_id": CI_ALERTS,
        "channel_name": "ci-alerts",
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
    }
    assert {key: payload[key] for key in expected} == expected


def test_a_bare_ack_shows_nothing(slack: SlackStandin) -> None:
    with TinyApp(slack, bare):
        assert slack.slash(OPERATOR, CI_ALERTS, "/runs").answer is None
    assert slack.messages(CI_ALERTS, OPERATOR) == []


def test_an_answer_in_channel_shows_the_command_to_all(slack: SlackStandin) -> None:
    with TinyApp(slack, lambda _: {"response_type": "in_channel", "text": "for all"}):
        slack.slash(OPERATOR, CI_ALERTS, "/runs share")
    assert [m.text for m in slack.messages(CI_ALERTS)] == ["/runs share", "for all"]


def test_a_command_not_acked_in_time_shows_an_error_and_is_not_sent_again(
    slack: SlackStandin,
) -> None:
    slack.strict.ack_limit_s = 0.2
    with TinyApp(slack, lambda _: UNACKED) as app:
        outcome = slack.slash(OPERATOR, CI_ALERTS, "/runs")
    assert outcome.error == "operation_timeout"
    assert "did not respond" in slack.messages(CI_ALERTS, OPERATOR)[0].text
    assert len(app.requests) == 1


def test_without_a_connection_a_command_fails_at_once(slack: SlackStandin) -> None:
    assert slack.slash(OPERATOR, CI_ALERTS, "/runs").error == "dispatch_failed"


def test_a_command_that_the_app_does_not_have_never_reaches_it(slack: SlackStandin) -> None:
    slack.commands["/runs"] = "[failing]"
    with TinyApp(slack, bare) as app:
        assert slack.slash(OPERATOR, CI_ALERTS, "/rusn").error == "invalid_command"
    assert app.requests == []


def test_one_cannot_type_where_one_is_not(slack: SlackStandin) -> None:
    with pytest.raises(LookupError):
        slack.slash(STRANGER, CI_ALERTS, "/runs")


def test_a_mention_arrives_as_an_event(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        said = slack.mention(OPERATOR, CI_ALERTS, "retry this").typed
    body = app.requests[0].payload
    assert said
    assert (body["team_id"], body["event"]["type"]) == (HOME_TEAM, "app_mention")
    assert body["event"]["text"] == "<@U0BOT00001> retry this"
    assert (body["event"]["ts"], body["event"]["channel"]) == (said.ts, CI_ALERTS)
    assert not app.requests[0].accepts_response_payload


def test_a_mention_where_the_bot_is_not_is_not_heard(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        assert not slack.mention(OPERATOR, GENERAL, "hello").delivered
    assert app.requests == []


def test_a_direct_message_arrives_as_one(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        slack.direct_message(MEMBER, "runs failing")
    event = app.requests[0].payload["event"]
    assert (event["type"], event["channel_type"]) == ("message", "im")
    assert event["channel"] == slack.dm(MEMBER)


def test_a_stranger_is_known_by_their_team(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        slack.mention(STRANGER, SHARED, "hello")
        slack.slash(STRANGER, SHARED, "/runs")
    event, command = (request.payload for request in app.requests)
    assert event["event"]["user_team"] == event["event"]["team"] == OTHER_TEAM
    assert (event["team_id"], event["is_ext_shared_channel"]) == (HOME_TEAM, True)
    assert command["team_id"] == OTHER_TEAM


def test_an_unacked_event_comes_again_and_says_so(slack: SlackStandin) -> None:
    slack.strict.ack_limit_s = 1.0
    answers = iter([UNACKED, UNACKED, None])
    with TinyApp(slack, lambda _: next(answers)) as app:
        slack.mention(OPERATOR, CI_ALERTS, "hello")
        slack.wait_for(lambda: len(app.requests) == 3)
        slack.wait_for(lambda: slack.envelopes[-1].acked_s is not None)
    assert [r.retry_attempt for r in app.requests] == [0, 1, 2]
    assert app.requests[2].retry_reason == "timeout"
    assert len({r.payload["event_id"] for r in app.requests}) == 1


def test_the_same_payload_and_the_same_envelope_can_be_delivered_twice(
    slack: SlackStandin,
) -> None:
    with TinyApp(slack, bare) as app:
        outcome = slack.slash(OPERATOR, CI_ALERTS, "/runs")
        slack.repeat(outcome)
        slack.repeat_envelope(slack.envelopes[0].id)
        slack.wait_for(lambda: len(app.requests) == 3)
        slack.wait_for(lambda: slack.envelopes[0].acks == 2)
    assert len({r.payload["trigger_id"] for r in app.requests}) == 1
    assert app.requests[0].envelope_id == app.requests[2].envelope_id


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_the_client_comes_back_after_a_disconnect(slack: SlackStandin, reason: str) -> None:
    with TinyApp(slack, echo):
        slack.disconnect(reason)
        slack.wait_for(lambda: len(slack.calls("apps.connections.open")) >= 2)
        slack.wait_connected()
        assert slack.slash(OPERATOR, CI_ALERTS, "/runs x").acked


def test_a_cut_connection_is_gone(slack: SlackStandin) -> None:
    with TinyApp(slack, echo):
        slack.drop_connections()
        slack.wait_for(lambda: slack.connections == 0)


def test_silence_brings_nothing(slack: SlackStandin) -> None:
    with TinyApp(slack, echo) as app:
        slack.silence()
        slack.strict.ack_limit_s = 0.2
        assert slack.slash(OPERATOR, CI_ALERTS, "/runs").error == "operation_timeout"
        slack.strict.ack_limit_s = 3.0
        assert slack.connections == 1
        slack.silence(on=False)
        assert slack.slash(OPERATOR, CI_ALERTS, "/runs").acked
    assert len(app.requests) == 1


def test_a_connection_url_works_once(slack: SlackStandin) -> None:
    url = client(slack, slack.app_token).apps_connections_open(app_token=slack.app_token)["url"]
    plain = str(url).replace("ws://", "http://")
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c2FtcGxlLXNhbXBsZS0xMg==",
    }
    with requests.get(plain, headers=upgrade, timeout=5, stream=True) as first:
        assert first.status_code == 101
    assert requests.get(plain, headers=upgrade, timeout=5).status_code == 403


def test_the_eleventh_connection_is_turned_away(slack: SlackStandin) -> None:
    async def open_eleven() -> tuple[list[str], str]:
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(fresh_url(slack)) for _ in range(11)]
            said = [(await socket.receive_json()) for socket in sockets]
            for socket in sockets:
                await socket.close()
            return [held["type"] for held in said], said[-1].get("reason", "")

    kinds, reason = asyncio.run(open_eleven())
    assert kinds == ["hello"] * 10 + ["disconnect"]
    assert reason == "too_many_websockets"


def fresh_url(slack: SlackStandin) -> str:
    web = client(slack, slack.app_token)
    return str(web.apps_connections_open(app_token=slack.app_token)["url"])


def test_hello_tells_how_many_connections_there_are(slack: SlackStandin) -> None:
    async def hello() -> dict[str, Any]:
        url = fresh_url(slack)
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            held: dict[str, Any] = await socket.receive_json()
            return held

    with TinyApp(slack, bare):
        said = asyncio.run(hello())
    assert (said["type"], said["num_connections"]) == ("hello", 2)
    assert "approximate_connection_time" in said["debug_info"]


def test_talk_among_people_is_not_the_bots_business(slack: SlackStandin) -> None:
    with TinyApp(slack, bare) as app:
        slack.say(MEMBER, BUILDS, "lunch?")
        slack.direct_message(MEMBER, "hi")
    assert len(app.requests) == 1
