"""The page in a real browser, with a tiny app behind it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright
from slack_sdk import WebClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.playground.slack.people import BUILDS, CI_ALERTS, GUEST, MEMBER, OPERATOR
from bot.playground.slack.standin import SlackStandin
from tests.fakes.slack import client, standing_in
from tests.fakes.tiny_app import TinyApp

Json = dict[str, Any]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


CONFIRM = {"title": plain("Abort this run?"), "text": mrkdwn("*testery:1*"),
           "confirm": plain("Yes, abort"), "deny": plain("Keep it")}  # fmt: skip
CARD: list[Json] = [
    {"type": "header", "text": plain("nightly failed")},
    {"type": "section", "text": mrkdwn("*failed* `testery:1` <https://a.test/1?b=1&amp;c=2|page>"),
     "accessory": {"type": "overflow", "action_id": "more", "options": [
         {"text": plain("Mute"), "value": "m"}]}},
    {"type": "actions", "elements": [{"type": "button", "action_id": "abort", "value": "v",
                                      "text": plain("Abort"), "confirm": CONFIRM}]},
]  # fmt: skip
FORM = {"type": "modal", "title": plain("Start a run"), "submit": plain("Start"), "blocks": [
    {"type": "input", "block_id": "what", "label": plain("Provider"),
     "element": {"type": "static_select", "action_id": "p", "options": [
         {"text": plain("Testery"), "value": "testery"}]}},
    {"type": "input", "block_id": "where", "label": plain("Branch"),
     "element": {"type": "plain_text_input", "action_id": "b"}},
]}  # fmt: skip


@dataclass
class FakeApp:
    """Answers commands, opens a form for `/trigger`, follows up on an abort."""

    slack: SlackStandin
    web: WebClient

    def __call__(self, request: SocketModeRequest) -> Json | None:
        payload = request.payload
        if payload.get("command") == "/trigger":
            self.web.views_open(trigger_id=payload["trigger_id"], view=FORM)
            return None
        if payload.get("type") == "block_actions":
            text = f"{payload['actions'][0]['action_id']} by {payload['user']['id']}"
            requests.post(payload["response_url"], json={"text": text}, timeout=5)
            return None
        if payload.get("type") == "event_callback":
            event = payload["event"]
            thread = event.get("thread_ts", event["ts"])
            self.web.chat_postMessage(channel=event["channel"], text="heard", thread_ts=thread)
            return None
        if payload.get("type") == "view_submission":
            return {"response_action": "errors", "errors": {"where": "no such branch"}}
        return {"text": f"heard {payload.get('text')}"}


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with standing_in() as held:
        yield held


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return client(slack)


@pytest.fixture
def app(slack: SlackStandin, web: WebClient) -> Iterator[TinyApp]:
    with TinyApp(slack, FakeApp(slack, web)) as held:
        yield held


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        held = play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield held
        held.close()


@pytest.fixture
def page(slack: SlackStandin, app: TinyApp, browser: Browser) -> Iterator[Page]:
    held = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    held.on("pageerror", lambda e: complaints.append(str(e)))
    held.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    held.goto(f"{slack.url}/?channel={CI_ALERTS}")
    expect(held.get_by_role("heading", name="#ci-alerts")).to_be_visible()
    yield held
    held.close()
    assert complaints == []


def type_line(page: Page, text: str, box: str = "Message #ci-alerts") -> None:
    field = page.get_by_role("textbox", name=box)
    field.fill(text)
    field.press("Enter")


@pytest.mark.browser
def test_a_command_gets_an_answer_that_only_the_asker_sees(page: Page) -> None:
    type_line(page, "/runs <b>bold</b>")
    message = page.locator("[data-ts]").last
    expect(message).to_contain_text("Only visible to you")
    expect(message).to_contain_text("heard <b>bold</b>")
    page.get_by_label("You are").select_option(MEMBER)
    expect(page.locator("[data-ts]")).to_have_count(0)


@pytest.mark.browser
def test_a_button_asks_first_and_then_tells_the_app(
    page: Page, slack: SlackStandin, web: WebClient, app: TinyApp
) -> None:
    web.chat_postMessage(channel=CI_ALERTS, text="card", blocks=CARD)
    page.get_by_role("button", name="Abort").click()
    page.get_by_role("button", name="Keep it").click()
    assert app.requests == []
    page.get_by_role("button", name="Abort").click()
    expect(page.get_by_role("dialog", name="Abort this run?")).to_contain_text("testery:1")
    page.get_by_role("button", name="Yes, abort").click()
    expect(page.locator("[data-ts]").last).to_contain_text(f"abort by {OPERATOR}")
    page.get_by_label("More actions").click()
    page.get_by_role("menuitem", name="Mute").click()
    expect(page.locator("[data-ts]").last).to_contain_text(f"more by {OPERATOR}")


@pytest.mark.browser
def test_blocks_are_shown_as_what_they_are(page: Page, web: WebClient) -> None:
    web.chat_postMessage(channel=CI_ALERTS, text="card", blocks=CARD)
    message = page.locator("[data-ts]").last
    expect(message.get_by_role("heading", name="nightly failed")).to_be_visible()
    expect(message.locator("strong", has_text=re.compile("^failed$"))).to_be_visible()
    expect(message.locator("code")).to_have_text("testery:1")
    expect(message.get_by_role("link", name="page")).to_have_attribute(
        "href", "https://a.test/1?b=1&c=2"
    )


@pytest.mark.browser
def test_untrusted_text_never_becomes_markup(page: Page, web: WebClient) -> None:
    evil = "<img src=x onerror=alert(1)> <javascript:alert(1)|click> `<script>`"
    web.chat_postMessage(channel=CI_ALERTS, text=evil)
    message = page.locator("[data-ts]").last
    expect(message).to_contain_text("click")
    assert message.locator("img, script, a").count() == 0


@pytest.mark.browser
def test_a_thread_is_opened_and_the_bot_is_spoken_to_in_it(page: Page, web: WebClient) -> None:
    top = web.chat_postMessage(channel=CI_ALERTS, text="card")["ts"]
    web.chat_postMessage(channel=CI_ALERTS, text="first reply", thread_ts=top)
    page.get_by_role("button", name=re.compile("1 reply")).click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("first reply")
    type_line(page, "@ci-bot retry", "Reply in thread")
    expect(thread).to_contain_text("heard")
    type_line(page, "/runs", "Reply in thread")
    expect(page.get_by_role("alert").last).to_contain_text("cannot be used in threads")


@pytest.mark.browser
def test_a_form_is_filled_in_and_complained_about(page: Page, slack: SlackStandin) -> None:
    type_line(page, "/trigger")
    form = page.get_by_role("dialog", name="Start a run")
    form.get_by_label("Provider").select_option("Testery")
    form.get_by_label("Branch").fill("main")
    form.get_by_role("button", name="Start").click()
    expect(form).to_contain_text("no such branch")
    expect(form.get_by_label("Branch")).to_have_value("main")
    expect(form.get_by_label("Provider")).to_have_value("testery")
    page.keyboard.press("Escape")
    expect(form).not_to_be_visible()
    assert slack.view(OPERATOR) is None


@pytest.mark.browser
def test_news_in_another_channel_is_marked(page: Page, web: WebClient) -> None:
    web.chat_postMessage(channel=BUILDS, text="news")
    channels = page.get_by_role("navigation")
    entry = channels.get_by_role("button", name=re.compile("#builds"))
    expect(entry.get_by_label("unread")).to_be_visible()
    entry.click()
    expect(page.locator("[data-ts]").last).to_contain_text("news")
    expect(entry.get_by_label("unread")).to_have_count(0)


@pytest.mark.browser
def test_a_guest_sees_only_their_channels(page: Page) -> None:
    page.get_by_label("You are").select_option(GUEST)
    channels = page.get_by_role("navigation").locator("button[data-channel]")
    expect(channels).to_have_count(2)


@pytest.mark.browser
def test_an_edited_message_changes_in_place(page: Page, web: WebClient) -> None:
    posted = web.chat_postMessage(channel=CI_ALERTS, text="running")
    expect(page.locator("[data-ts]").last).to_contain_text("running")
    web.chat_update(channel=CI_ALERTS, ts=posted["ts"], text="passed")
    expect(page.locator(f'[data-ts="{posted["ts"]}"]')).to_contain_text("passed (edited)")


def test_another_site_cannot_post_to_the_page(slack: SlackStandin) -> None:
    url, body = f"{slack.url}/playground/type", {"viewer": OPERATOR}
    elsewhere = {"Origin": "https://elsewhere.test"}
    assert requests.post(url, json=body, headers=elsewhere, timeout=5).status_code == 403
    assert requests.post(url, data=body, timeout=5).status_code == 403


def test_only_the_pages_own_files_are_served(slack: SlackStandin) -> None:
    for path in ("page/..%2fclock.py", "page/%2e%2e/server.py", "page/nothing.js"):
        assert requests.get(f"{slack.url}/{path}", timeout=5).status_code == 404
    assert "default-src 'self'" in requests.get(slack.url, timeout=5).headers[
        "Content-Security-Policy"
    ]  # fmt: skip
