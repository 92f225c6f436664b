"""Signed delivery over HTTP, with slack_sdk's verifier as the judge."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.playground.faults import FaultPlan, Received
from bot.playground.server import Server
from bot.playground.slack.delivery import signed_headers
from bot.playground.slack.people import CI_ALERTS, OPERATOR
from bot.playground.slack.standin import SlackStandin
from tests.fakes.slack import standing_in


@dataclass
class Receiver:
    """An app's request URL: keeps what arrives, answers with the next of `replies`."""

    log: FaultPlan = field(default_factory=FaultPlan)
    replies: list[web.Response] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.log.middleware()])
        app.router.add_post("/slack/events", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        del request
        return self.replies.pop(0) if self.replies else web.Response()

    @property
    def received(self) -> list[Received]:
        return self.log.requests()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def slack(receiver: Receiver) -> Iterator[SlackStandin]:
    with Server(receiver.app()) as server, standing_in(retry_waits_s=(0.0, 0.0, 0.0)) as held:
        held.request_url = f"{server.url}/slack/events"
        yield held


def is_signed(slack: SlackStandin, request: Received) -> bool:
    verifier = SignatureVerifier(slack.signing_secret)
    return verifier.is_valid_request(request.body, request.headers)


def test_a_command_is_a_signed_form(slack: SlackStandin, receiver: Receiver) -> None:
    receiver.replies.append(web.Response(text="on it"))
    outcome = slack.slash(OPERATOR, CI_ALERTS, '/runs "a b" & c')
    request = receiver.received[0]
    form = parse_qs(request.body.decode(), keep_blank_values=True)
    assert outcome.acked
    assert is_signed(slack, request)
    assert form["text"] == ['"a b" &amp; c']
    assert form["is_enterprise_install"] == ["false"]
    assert [m.text for m in slack.messages(CI_ALERTS, OPERATOR)] == ["on it"]


def test_a_json_answer_is_a_message(slack: SlackStandin, receiver: Receiver) -> None:
    receiver.replies.append(web.json_response({"response_type": "in_channel", "text": "for all"}))
    slack.slash(OPERATOR, CI_ALERTS, "/runs")
    assert slack.messages(CI_ALERTS)[-1].text == "for all"


def test_another_status_is_a_failure(slack: SlackStandin, receiver: Receiver) -> None:
    receiver.replies.append(web.Response(status=500))
    assert slack.slash(OPERATOR, CI_ALERTS, "/runs").error == "dispatch_failed"
    assert "failed (dispatch_failed)" in slack.messages(CI_ALERTS, OPERATOR)[0].text


def test_events_are_signed_json(slack: SlackStandin, receiver: Receiver) -> None:
    slack.mention(OPERATOR, CI_ALERTS, "hello")
    request = receiver.received[0]
    assert is_signed(slack, request)
    assert json.loads(request.body)["event"]["type"] == "app_mention"
    assert "X-Slack-Retry-Num" not in request.headers


def test_a_failed_event_comes_three_more_times(slack: SlackStandin, receiver: Receiver) -> None:
    receiver.replies.extend(web.Response(status=500) for _ in range(9))
    slack.mention(OPERATOR, CI_ALERTS, "hello")
    slack.wait_for(lambda: len(receiver.received) == 4)
    again = [r.headers.get("X-Slack-Retry-Num") for r in receiver.received]
    assert again == [None, "1", "2", "3"]
    assert receiver.received[1].headers["X-Slack-Retry-Reason"] == "http_error"


def test_a_receiver_can_stop_the_retries(slack: SlackStandin, receiver: Receiver) -> None:
    stop = web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
    receiver.replies.append(stop)
    assert slack.mention(OPERATOR, CI_ALERTS, "hello").ack.no_retry
    slack.mention(OPERATOR, CI_ALERTS, "another")
    assert len(receiver.received) == 2


def test_the_request_url_is_verified(slack: SlackStandin, receiver: Receiver) -> None:
    receiver.replies.append(web.Response(text="something else"))
    assert not slack.verify_request_url()
    assert json.loads(receiver.received[0].body)["type"] == "url_verification"


def test_a_test_can_forge_and_replay(slack: SlackStandin, receiver: Receiver) -> None:
    body = b"command=%2Fruns"
    slack.post_raw(body, "application/x-www-form-urlencoded")
    stale = signed_headers(slack.signing_secret, body, int(time.time()) - 600)
    slack.post_raw(body, "application/x-www-form-urlencoded", stale)
    forged = signed_headers("another secret", body)
    slack.post_raw(body, "application/x-www-form-urlencoded", forged)
    assert [is_signed(slack, r) for r in receiver.received] == [True, False, False]
