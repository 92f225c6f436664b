"""What arrives at the HTTP port and is not Slack, or is Slack twice."""

import hashlib
import hmac
import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.playground.slack.delivery import FORM
from bot.playground.slack.people import BUILDS, HOME_TEAM, OPERATOR
from tests.fakes.stage import SHOP, Player, Stage, Transport

CANARY = "marker-in-the-body"


@pytest.fixture(params=["http"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param


def payload(**more: str) -> bytes:
    """A slash command that would start a run if it were believed."""
    fields = {
        "command": "/trigger",
        "text": f"wercker:{SHOP} message={CANARY}",
        "user_id": OPERATOR,
        "team_id": HOME_TEAM,
        "channel_id": BUILDS,
        "trigger_id": "1.2.3",
        "response_url": "http://127.0.0.1:9/",
    }
    return urlencode(fields | more).encode()


def sign(stage: Stage, body: bytes, at: str | None = None, secret: str = "") -> dict[str, str]:
    at = at or str(int(time.time()))
    key = (secret or stage.slack.signing_secret).encode()
    digest = hmac.new(key, b"v0:%s:%s" % (at.encode(), body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}


def post(
    stage: Stage, body: Any, headers: dict[str, str], kind: str = FORM, **more: Any
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", stage.bot.port, timeout=5)
    try:
        sent = {"Content-Type": kind, **headers}
        connection.request("POST", "/slack/events", body=body, headers=sent, **more)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def ago(seconds: float) -> str:
    return str(int(time.time() - seconds))


HEADERS = {
    "unsigned": lambda stage, body: {},
    "no signature": lambda stage, body: {"X-Slack-Request-Timestamp": ago(0)},
    "no timestamp": lambda stage, body: {"X-Slack-Signature": "v0=" + "0" * 64},
    "wrong signature": lambda stage, body: sign(stage, body, secret="x"),
    "another secret": lambda stage, body: sign(stage, body, secret="guessed"),
    "another body": lambda stage, body: sign(stage, body + b"&x=1"),
    "replayed": lambda stage, body: sign(stage, body, ago(400)),
    "from the future": lambda stage, body: sign(stage, body, ago(-400)),
    "timestamp is no number": lambda stage, body: sign(stage, body, "yesterday"),
    "timestamp is empty": lambda stage, body: sign(stage, body, " "),
    "timestamp is negative": lambda stage, body: sign(stage, body, "-1"),
    "timestamp is a fraction": lambda stage, body: sign(stage, body, ago(0) + ".5"),
    "timestamp is huge": lambda stage, body: sign(stage, body, "9" * 400),
    "timestamp in odd digits": lambda stage, body: {
        "X-Slack-Request-Timestamp": "\u00b2\u00b3",
        "X-Slack-Signature": "v0=" + "0" * 64,
    },
    "signature is not ascii": lambda stage, body: {
        "X-Slack-Request-Timestamp": ago(0),
        "X-Slack-Signature": "v0=\u00e9\u00fc" + "0" * 62,
    },
    "signature of version 1": lambda stage, body: {
        name: value.replace("v0=", "v1=") for name, value in sign(stage, body).items()
    },
    "signature in capitals": lambda stage, body: {
        name: value.upper() for name, value in sign(stage, body).items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
def test_what_slack_has_not_signed_is_refused(stage: Stage, case: str) -> None:
    body = payload()
    status, said = post(stage, body, HEADERS[case](stage, body))

    assert status == 401
    assert CANARY.encode() not in said
    assert stage.changes() == []
    assert stage.audit() == []
    assert CANARY not in stage.log.text
    assert "traceback" not in stage.log.text


def test_what_slack_has_signed_is_taken(stage: Stage) -> None:
    """So that the refusals above have the reason given and no other."""
    body = payload()
    status, _said = post(stage, body, sign(stage, body))

    assert status == 200
    stage.wait(stage.changes, "the request")
    assert CANARY not in stage.log.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"payload=%7Bnot+json" + CANARY.encode()),
        (FORM, b"payload=[]"),
        (FORM, b"payload="),
        (FORM, b"\xff\xfe" + CANARY.encode()),
        (FORM, b"command=%ff%fe"),
        ("application/json", b"{broken" + CANARY.encode()),
        ("application/json", b"[1, 2]"),
        ("application/json", b""),
        ("application/json", b'{"type": "event_callback"}'),
        ("application/json", b'{"type": "event_callback", "event": []}'),
        ("application/json", b"[" * 5000),
        ("application/json", b'{"a":' * 100_000),
        ("text/plain", b"hello"),
        ("", b"hello"),
        (FORM, b"payload=%7B%22type%22%3A%22block_actions%22%7D"),
        (FORM, b"command=%2Fruns"),
        (FORM, b"command=%2Fruns&text=x&user_id=U1&channel_id=C1"),
    ],
)
@pytest.mark.parametrize("is_signed", ["signed", "unsigned"])
def test_broken_bodies_are_refused_and_never_logged(
    stage: Stage, kind: str, body: bytes, is_signed: str
) -> None:
    headers = sign(stage, body) if is_signed == "signed" else {}
    status, said = post(stage, body, headers, kind)

    assert status == 401 if is_signed == "unsigned" else status < 500
    assert CANARY.encode() not in said
    assert CANARY not in stage.log.text
    assert stage.changes() == []


def test_a_body_that_is_no_text(stage: Stage) -> None:
    body = b"\xff" + payload()

    assert post(stage, body, sign(stage, body, secret="guessed"))[0] == 401
    assert "traceback" not in stage.log.text


def test_a_huge_body_is_refused(stage: Stage) -> None:
    body = payload(text=CANARY + "x" * 2_000_000)
    status, _said = post(stage, body, sign(stage, body))

    assert status in {401, 413}
    assert CANARY not in stage.log.text


def test_a_length_that_is_a_lie(stage: Stage) -> None:
    body = payload()
    for length in ("999999999999", "-1", "many", "1"):
        try:
            status, _ = post(stage, body, sign(stage, body) | {"Content-Length": length})
        except (OSError, http.client.HTTPException):
            continue  # the connection was closed
        assert status in {400, 401, 413}
    assert stage.changes() == []


@pytest.mark.parametrize("is_signed", ["signed", "unsigned"])
def test_a_chunked_body(stage: Stage, is_signed: str) -> None:
    body = payload()
    headers = sign(stage, body) if is_signed == "signed" else {}
    status, _said = post(stage, iter([body[:10], body[10:]]), headers, encode_chunked=True)

    assert status in ({401} if is_signed == "unsigned" else {200, 401})
    assert CANARY not in stage.log.text


def test_many_slow_senders_keep_nobody_out(stage: Stage, olivia: Player) -> None:
    """Connections that send half a request are no reason to keep Slack waiting."""
    held = []
    for _ in range(30):
        connection = http.client.HTTPConnection("127.0.0.1", stage.bot.port, timeout=5)
        connection.putrequest("POST", "/slack/events")
        connection.putheader("Content-Length", "1000")
        connection.endheaders()
        connection.send(b"half")
        held.append(connection)

    assert olivia.does("/runs help").acked_s < 1
    for connection in held:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(stage: Stage, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stage.bot.port, timeout=5)
    connection.request(method, "/slack/events")
    assert connection.getresponse().status == 405
    connection.close()


def test_the_request_url_is_verified(stage: Stage) -> None:
    assert stage.slack.verify_request_url()


def test_a_certificate_check_is_answered_and_does_nothing(stage: Stage) -> None:
    body = b"ssl_check=1&token=sample"
    assert post(stage, body, sign(stage, body))[0] == 200
    assert post(stage, body, {})[0] == 401


def test_odd_paths(stage: Stage) -> None:
    for path in ("/", "/slack/events/../healthz", "/metrics/x", "/slack", "/%00"):
        connection = http.client.HTTPConnection("127.0.0.1", stage.bot.port, timeout=5)
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.status == 404, path
        assert json.dumps(reply.getheaders()).find("waitress") == -1
        connection.close()


PRESSED = {"type": "block_actions", "user": {"id": OPERATOR}, "trigger_id": "1.2.3"}
FOR_NOBODY: dict[str, dict[str, Any]] = {
    "a press without a button": {**PRESSED, "actions": []},
    "a press on nothing": {**PRESSED, "actions": None},
    "a press on something else": {**PRESSED, "actions": ["x"]},
    "a press without its buttons": PRESSED,
    "a form": {"type": "view_submission", "view": {"callback_id": "x", "state": {}}},
    "a form that was closed": {"type": "view_closed", "view": {"callback_id": "x"}},
    "a shortcut": {"type": "shortcut", "callback_id": "x"},
    "a menu": {"type": "block_suggestion", "action_id": "x", "value": ""},
    "what nobody knows": {"type": "of tomorrow"},
    "nothing": {},
}


@pytest.mark.parametrize("case", FOR_NOBODY)
def test_what_slack_has_signed_and_nothing_is_for_is_acknowledged(stage: Stage, case: str) -> None:
    body = urlencode({"payload": json.dumps(FOR_NOBODY[case])}).encode()
    assert post(stage, body, sign(stage, body)) == (200, b"")

    assert stage.log.events()[-1] == "payload.unknown"
    assert "traceback" not in stage.log.text
    assert stage.audit() == []
    assert stage.slack.calls("chat.postMessage") == []
