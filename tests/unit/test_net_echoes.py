"""A refusal that repeats our credential does not show it."""

import base64

from bot.domain.clock import Deadline
from bot.net import BasicAuth, BearerAuth, HeaderAuth, HttpError
from bot.net.echoes import MASK
from tests.fakes.net import RawServer, RealClock, answers, reply
from tests.fakes.net_faults import client_of

SECRET = "canary-secret"


def refusal_of(body: str, auth: HeaderAuth, head: str = "") -> HttpError:
    with RawServer(answers(reply(403, body.encode(), head))) as server:
        client = client_of(server.url, auth=auth)
        try:
            client.request("GET", "runs", deadline=Deadline.after(RealClock(), 5))
        except HttpError as error:
            return error
    raise AssertionError("it was no refusal")


def test_every_kind_of_credential_is_masked() -> None:
    packed = base64.b64encode(f"user:{SECRET}".encode()).decode()
    for auth in (BearerAuth(SECRET), HeaderAuth("Auth-Key", SECRET), BasicAuth("user", SECRET)):
        error = refusal_of(f"sent: {SECRET} user:{SECRET} Basic {packed}", auth)
        assert SECRET.encode() not in error.reply.body, repr(auth)
        assert MASK.encode() in error.reply.body
    assert packed.encode() not in error.reply.body


def test_headers_are_masked_and_the_rest_stays() -> None:
    error = refusal_of("no such run", BearerAuth(SECRET), f"X-Trace-Id: t-{SECRET}\r\n")
    assert error.reply.headers["x-trace-id"] == f"t-{MASK}"
    assert error.reply.body == b"no such run"


def test_a_basic_credential_that_is_none_is_masked_as_it_is() -> None:
    error = refusal_of(
        "Basic ###not-base64 ###not-base64", HeaderAuth("Authorization", "Basic ###not-base64")
    )
    assert b"###" not in error.reply.body
