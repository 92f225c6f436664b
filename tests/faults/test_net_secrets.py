"""Where credentials could get away (T9, T12)."""

import logging
import traceback
from pathlib import Path

import pytest
import requests

from bot.domain.errors import Kind, ProviderError
from bot.net import BearerAuth, HeaderAuth, Reply
from tests.fakes.net import Peer, RawServer, answers, reply, then, within
from tests.fakes.net_faults import GARBAGE, HEAD, SLOW, call, client_of, failure


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_t9_redirects_are_not_followed(status: int, method: str) -> None:
    with RawServer(answers(reply())) as other:
        location = f"Location: http://localhost:{other.port}/runs?canary\r\n"
        with RawServer(answers(reply(status, head=location))) as server:
            error = failure(server.url, method, auth=HeaderAuth("Auth-Key", "canary"))
            assert len(server.received) == 1
        assert other.connections == 0
    maybe_done = method == "POST" and status in {302, 303}
    assert error.kind is (Kind.AMBIGUOUS if maybe_done else Kind.BAD_REPLY)
    assert "moved (to localhost)" in error.message
    assert "canary" not in error.message


def test_t9_neither_netrc_nor_proxy_variables_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answers(reply())) as proxy, RawServer(answers(reply())) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        call(server.url, auth=BearerAuth("ours"))
        call(server.url)
        sent = [r.header("Authorization") for r in server.received]
        assert proxy.connections == 0
        requests.get(server.url, timeout=5)  # the plain library walks into both traps
        assert (proxy.received[0].header("Authorization") or "").startswith("Basic ")
    assert sent == ["Bearer ours", None]


CANARY = "canary7f3a"


def tell_all(error: BaseException) -> str:
    """Everything a log or a person could come to see of an error."""
    seen = [*traceback.format_exception(error)]
    current: BaseException | None = error
    while current is not None:
        seen += [repr(current), str(current), repr(current.args), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return "\n".join(seen)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_t12_no_error_object_or_log_line_shows_a_secret(
    caplog: pytest.LogCaptureFixture, method: str
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f'{{"token": "{CANARY}"}}'.encode()
    head = f"Set-Cookie: {CANARY}\r\nLocation: http://x.example/?{CANARY}\r\n"
    scripts = [
        *SLOW.values(),
        *(answers(data) for data in GARBAGE.values()),
        *(
            answers(reply(status, body, head))
            for status in (200, 201, 302, 400, 401, 404, 429, 500)
        ),
        answers(HEAD + f"{CANARY} no header\r\n\r\n{CANARY}".encode()),
        answers(CANARY.encode()),
        answers(reply(body=body, head=f"Content-Encoding: {CANARY}\r\n")),
        then(Peer.reset),
    ]
    shown: list[str] = []
    for script in scripts:
        with RawServer(script) as server:
            client = client_of(
                server.url, auth=HeaderAuth("Auth-Key", CANARY), max_body_bytes=100_000
            )
            try:
                answer = client.request(
                    method,
                    "runs",
                    deadline=within(0.2),
                    query=[("q", CANARY)],
                    headers={"X-Other": CANARY},
                    form={"env": CANARY},
                )
                shown += [repr(client), repr(answer)]
                answer = Reply(200, {}, answer.body[:-1] + CANARY.encode())
                answer.json()
            except ProviderError as error:
                shown += [repr(client), tell_all(error)]
    assert len(shown) >= 2 * len(scripts)
    assert CANARY not in "\n".join(shown)
    assert CANARY not in caplog.text
