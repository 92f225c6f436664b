"""Buttons, response URLs, trigger ids and modals."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.playground.clock import ManualClock
from bot.playground.slack.messages import Message
from bot.playground.slack.people import CI_ALERTS, GENERAL, HOME_TEAM, MEMBER, OPERATOR
from bot.playground.slack.standin import SlackStandin
from tests.fakes.slack import client, standing_in
from tests.fakes.tiny_app import TinyApp

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


CONFIRM = {"title": plain("Sure?"), "text": plain("No way back"), "confirm": plain("Yes"),
           "deny": plain("No")}  # fmt: skip
ABORT = {"type": "button", "action_id": "abort", "text": plain("Abort"), "value": "signed",
         "confirm": CONFIRM}  # fmt: skip
MORE = {"type": "overflow", "action_id": "more", "options": [
    {"text": plain("Mute"), "value": "m"}, {"text": plain("Log"), "value": "l"}]}  # fmt: skip
CARD = [{"type": "actions", "elements": [ABORT, MORE]}]
NAME = {"type": "input", "block_id": "who", "label": plain("Name"),
        "element": {"type": "plain_text_input", "action_id": "name"}}  # fmt: skip
FORM = {"type": "modal", "title": plain("Form"), "submit": plain("Go"), "callback_id": "form",
        "blocks": [NAME]}  # fmt: skip


class Answers:
    """What the app says to the next request; nothing by default."""

    def __init__(self) -> None:
        self.next: Json | None = None

    def __call__(self, request: SocketModeRequest) -> Json | None:
        del request
        return self.next


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def slack(clock: ManualClock) -> Iterator[SlackStandin]:
    with standing_in(clock) as held:
        yield held


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def app(slack: SlackStandin, answers: Answers) -> Iterator[TinyApp]:
    with TinyApp(slack, answers) as held:
        yield held


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return client(slack)


def post_card(slack: SlackStandin, web: WebClient) -> Message:
    web.chat_postMessage(channel=CI_ALERTS, text="card", blocks=CARD)
    return slack.messages(CI_ALERTS)[-1]


def test_a_press_has_the_fields_of_the_platform(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    card = post_card(slack, web)
    outcome = slack.press(OPERATOR, card, "Abort")
    payload = app.requests[0].payload
    assert outcome.confirm == CONFIRM
    assert payload["type"] == "block_actions"
    assert payload["user"]["team_id"] == HOME_TEAM
    assert payload["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": CI_ALERTS,
        "is_ephemeral": False,
    }
    assert payload["message"]["ts"] == card.ts
    action = payload["actions"][0]
    assert (action["action_id"], action["value"], action["type"]) == ("abort", "signed", "button")
    assert action["block_id"] == card.blocks[0]["block_id"]


def test_a_dialog_turned_down_sends_nothing(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    assert not slack.press(OPERATOR, post_card(slack, web), "abort", confirm=False).delivered
    assert app.requests == []


def test_an_overflow_option_is_chosen_by_its_label(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    slack.press(MEMBER, post_card(slack, web), "Log")
    assert app.requests[0].payload["actions"][0]["selected_option"]["value"] == "l"


def test_a_label_that_is_not_there_cannot_be_pressed(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    with pytest.raises(LookupError):
        slack.press(MEMBER, post_card(slack, web), "Retry")
    assert app.requests == []


def test_an_ephemeral_message_is_not_repeated_in_the_payload(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    web.chat_postEphemeral(channel=CI_ALERTS, user=OPERATOR, text="card", blocks=CARD)
    slack.press(OPERATOR, slack.messages(CI_ALERTS, OPERATOR)[0], "abort")
    payload = app.requests[0].payload
    assert "message" not in payload
    assert payload["container"]["is_ephemeral"]


def answer(url: str, **body: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=5)


def test_an_ephemeral_message_is_replaced_and_deleted_through_its_response_url(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    web.chat_postEphemeral(channel=CI_ALERTS, user=OPERATOR, text="card", blocks=CARD)
    seen = slack.messages(CI_ALERTS, OPERATOR)[0]
    url = slack.press(OPERATOR, seen, "abort").payload["response_url"]
    assert answer(url, text="done", replace_original=True).text == "ok"
    assert [m.visible for m in slack.messages(CI_ALERTS, OPERATOR)] == ["done"]
    answer(url, delete_original=True)
    assert slack.messages(CI_ALERTS, OPERATOR) == []
    assert len(app.requests) == 1


def test_a_response_url_works_where_the_bot_is_not(slack: SlackStandin, app: TinyApp) -> None:
    url = slack.slash(OPERATOR, GENERAL, "/runs").payload["response_url"]
    answer(url, text="psst")
    answer(url, text="for all", response_type="in_channel")
    assert [m.text for m in slack.messages(GENERAL, OPERATOR)] == ["psst", "for all"]
    assert [m.text for m in slack.messages(GENERAL)] == ["for all"]
    assert len(app.requests) == 1


def test_a_response_url_takes_five_answers(slack: SlackStandin, app: TinyApp) -> None:
    url = slack.slash(OPERATOR, CI_ALERTS, "/runs").payload["response_url"]
    got = [answer(url, text=str(n)).status_code for n in range(6)]
    assert got == [200] * 5 + [404]
    assert answer(url, text="x").json()["error"] == "used_url"
    assert len(slack.messages(CI_ALERTS, OPERATOR)) == 5
    assert app.requests


def test_a_response_url_lives_thirty_minutes(
    clock: ManualClock, slack: SlackStandin, app: TinyApp
) -> None:
    url = slack.slash(OPERATOR, CI_ALERTS, "/runs").payload["response_url"]
    clock.advance(30 * 60)
    assert answer(url, text="x").ok
    clock.advance(1)
    assert answer(url, text="x").json()["error"] == "expired_url"
    slack.strict.response_urls = False
    assert answer(url, text="x").ok
    assert app.requests


def test_refused_blocks_do_not_pass_a_response_url(slack: SlackStandin, app: TinyApp) -> None:
    url = slack.slash(OPERATOR, CI_ALERTS, "/runs").payload["response_url"]
    reply = answer(url, text="x", blocks=[{"type": "section"}])
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_blocks")
    assert app.requests


def open_form(slack: SlackStandin, web: WebClient, **more: Any) -> Json:
    trigger = slack.slash(OPERATOR, CI_ALERTS, "/trigger").payload["trigger_id"]
    view: Json = web.views_open(trigger_id=trigger, view={**FORM, **more})["view"]
    return view


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_a_trigger_opens_one_view_within_three_seconds(
    clock: ManualClock, slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    first, second = (
        slack.slash(OPERATOR, CI_ALERTS, "/trigger").payload["trigger_id"] for _ in "ab"
    )
    clock.advance(3)
    web.views_open(trigger_id=first, view=FORM)
    assert refused(web.views_open, trigger_id=first, view=FORM) == "exchanged_trigger_id"
    clock.advance(0.1)
    assert refused(web.views_open, trigger_id=second, view=FORM) == "expired_trigger_id"
    assert refused(web.views_open, trigger_id="1.2.3", view=FORM) == "invalid_trigger_id"
    assert app.requests


def test_a_refused_view_does_not_use_up_the_trigger(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    trigger = slack.slash(OPERATOR, CI_ALERTS, "/trigger").payload["trigger_id"]
    bad = {**FORM, "title": plain("t" * 25)}
    assert refused(web.views_open, trigger_id=trigger, view=bad) == "invalid_arguments"
    assert web.views_open(trigger_id=trigger, view=FORM)["ok"]
    assert app.requests


def test_a_submitted_form_arrives_with_its_values_and_closes(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    open_form(slack, web, private_metadata="kept")
    slack.submit_view(OPERATOR, {"Name": "sam"})
    payload = app.requests[-1].payload
    assert payload["type"] == "view_submission"
    assert payload["view"]["private_metadata"] == "kept"
    assert payload["view"]["state"]["values"] == {
        "who": {"name": {"type": "plain_text_input", "value": "sam"}}
    }
    assert slack.view(OPERATOR) is None


def test_a_required_input_keeps_the_form_from_being_submitted(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    open_form(slack, web)
    with pytest.raises(ValueError, match="Name"):
        slack.submit_view(OPERATOR)
    assert len(app.requests) == 1


def test_complaints_keep_the_form_open(
    slack: SlackStandin, app: TinyApp, answers: Answers, web: WebClient
) -> None:
    open_form(slack, web)
    answers.next = {"response_action": "errors", "errors": {"who": "unknown"}}
    assert slack.submit_view(OPERATOR, {"Name": "x"}).errors == {"who": "unknown"}
    assert slack.view(OPERATOR)
    answers.next = {"response_action": "errors", "errors": {"elsewhere": "unknown"}}
    assert slack.submit_view(OPERATOR, {"Name": "x"}).error == "errors_for_no_input"
    assert app.requests


def test_an_update_needs_the_hash_of_the_view_it_saw(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    view = open_form(slack, web)
    fresh = web.views_update(view_id=view["id"], hash=view["hash"], view=FORM)["view"]
    stale = refused(web.views_update, view_id=view["id"], hash=view["hash"], view=FORM)
    assert stale == "hash_conflict"
    assert fresh["id"] == view["id"]
    assert refused(web.views_update, view_id="V0GONE", view=FORM) == "not_found"
    assert app.requests


def test_three_views_are_stacked_and_no_more(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    view = open_form(slack, web, blocks=[*CARD, NAME], notify_on_close=True)
    for _ in range(2):
        trigger = slack.press(OPERATOR, view, "abort").payload["trigger_id"]
        pushed = web.views_push(trigger_id=trigger, view=FORM)["view"]
    assert pushed["root_view_id"] == view["id"]
    trigger = slack.press(OPERATOR, view, "abort").payload["trigger_id"]
    assert refused(web.views_push, trigger_id=trigger, view=FORM) == "push_limit_reached"
    slack.close_view(OPERATOR, everything=True)
    assert slack.view(OPERATOR) is None
    assert app.requests


def test_what_was_typed_outlives_an_update_with_the_same_ids(
    slack: SlackStandin, app: TinyApp, web: WebClient
) -> None:
    view = open_form(slack, web)
    slack.fill_view(OPERATOR, {"Name": "sam"})
    web.views_update(view_id=view["id"], view={**FORM, "submit": plain("Start")})
    slack.submit_view(OPERATOR)
    values = app.requests[-1].payload["view"]["state"]["values"]
    assert values["who"]["name"]["value"] == "sam"
