"""The shapes of the elements inside blocks."""

from collections.abc import Mapping
from typing import Any

from bot.playground.slack.block_rules import (
    Check,
    Report,
    anything,
    boolean,
    both,
    by_type,
    choice,
    integer,
    items,
    link,
    mrkdwn_or_plain,
    plain,
    problem,
    shape,
    string,
)

IDENT = string(255, 1)
CONFIRM = shape(
    {"title": plain(100), "text": mrkdwn_or_plain(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
OPTION = shape({"text": plain(75), "value": string(150, 1)}, {"description": plain(75)})
LINK_OPTION = shape(
    {"text": plain(75), "value": string(150, 1)}, {"description": plain(75), "url": link()}
)
RICH_OPTION = shape(
    {"text": mrkdwn_or_plain(75), "value": string(150, 1)}, {"description": mrkdwn_or_plain(75)}
)
GROUP = shape({"label": plain(75), "options": items(OPTION, 100)}, {})
FOCUS: Mapping[str, Check] = {"focus_on_load": boolean}
PLACEHOLDER: Mapping[str, Check] = {"placeholder": plain(150)}
DISPATCH: Mapping[str, Check] = {"dispatch_action_config": anything}


def _element(required: Mapping[str, Check], **optional: Check) -> Check:
    return shape(required, {"action_id": IDENT, **optional})


def _has_options(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, dict) and ("options" in value) == ("option_groups" in value):
        problem(report, "must define either `options` or `option_groups`", pointer)


def _starts_with_an_option(value: Any, pointer: str, report: Report) -> None:
    first = value.get("initial_option") if isinstance(value, dict) else None
    if first is not None and first not in _options(value):
        problem(report, "initial_option must match one of the options", pointer)


def _options(element: dict[str, Any]) -> list[Any]:
    groups = [g.get("options", []) for g in element.get("option_groups", []) if isinstance(g, dict)]
    return [*element.get("options", []), *(option for group in groups for option in group)]


def _select(**more: Check) -> Check:
    return _element({}, confirm=CONFIRM, **more, **FOCUS, **PLACEHOLDER)


def _picker(first: str, **more: Check) -> Check:
    return _element({}, confirm=CONFIRM, **{first: string(30)}, **more, **FOCUS, **PLACEHOLDER)


def _text_input(**more: Check) -> Check:
    return _element({}, initial_value=string(3000), **more, **FOCUS, **PLACEHOLDER, **DISPATCH)


BUTTON = shape(
    {"text": plain(75)},
    {
        "action_id": IDENT,
        "value": string(2000),
        "url": link(),
        "style": choice("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
IMAGE = shape({"alt_text": string(2000, 1)}, {"image_url": link(), "slack_file": anything})
OVERFLOW = _element({"options": items(LINK_OPTION, 5)}, confirm=CONFIRM)
_STATIC: Mapping[str, Check] = {
    "options": items(OPTION, 100),
    "option_groups": items(GROUP, 100),
}
STATIC_SELECT = both(
    _select(initial_option=OPTION, **_STATIC), _has_options, _starts_with_an_option
)
SELECTS: Mapping[str, Check] = {
    "static_select": STATIC_SELECT,
    "external_select": _select(initial_option=OPTION, min_query_length=integer(0, 75)),
    "users_select": _select(initial_user=string(20)),
    "channels_select": _select(initial_channel=string(20), response_url_enabled=boolean),
    "conversations_select": _select(
        initial_conversation=string(20),
        default_to_current_conversation=boolean,
        response_url_enabled=boolean,
        filter=anything,
    ),
}
_MOST = integer(1, 100)
MULTI_SELECTS: Mapping[str, Check] = {
    "multi_static_select": both(
        _select(initial_options=items(OPTION, 100), max_selected_items=_MOST, **_STATIC),
        _has_options,
    ),
    "multi_external_select": _select(
        initial_options=items(OPTION, 100),
        min_query_length=integer(0, 75),
        max_selected_items=_MOST,
    ),
    "multi_users_select": _select(initial_users=anything, max_selected_items=_MOST),
    "multi_channels_select": _select(initial_channels=anything, max_selected_items=_MOST),
    "multi_conversations_select": _select(
        initial_conversations=anything,
        default_to_current_conversation=boolean,
        max_selected_items=_MOST,
        filter=anything,
    ),
}
CHOICES: Mapping[str, Check] = {
    "checkboxes": _element(
        {"options": items(RICH_OPTION, 10)},
        initial_options=items(RICH_OPTION, 10),
        confirm=CONFIRM,
        **FOCUS,
    ),
    "radio_buttons": both(
        _element(
            {"options": items(RICH_OPTION, 10)},
            initial_option=RICH_OPTION,
            confirm=CONFIRM,
            **FOCUS,
        ),
        _starts_with_an_option,
    ),
}
PICKERS: Mapping[str, Check] = {
    "datepicker": _picker("initial_date"),
    "timepicker": _picker("initial_time", timezone=string(50)),
    "datetimepicker": _element(
        {}, initial_date_time=integer(1_000_000_000, 9_999_999_999), confirm=CONFIRM, **FOCUS
    ),
}
TEXT_INPUTS: Mapping[str, Check] = {
    "plain_text_input": _text_input(
        multiline=boolean, min_length=integer(0, 3000), max_length=integer(1, 3000)
    ),
    "email_text_input": _text_input(),
    "url_text_input": _text_input(),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {
            "action_id": IDENT,
            "initial_value": string(30),
            "min_value": string(30),
            "max_value": string(30),
            **FOCUS,
            **PLACEHOLDER,
            **DISPATCH,
        },
    ),
    "rich_text_input": _element({}, initial_value=anything, **FOCUS, **PLACEHOLDER, **DISPATCH),
    "file_input": _element({}, filetypes=anything, max_files=integer(1, 10)),
}

PRESSABLE: Mapping[str, Check] = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    "workflow_button": anything,
    **SELECTS,
    **CHOICES,
    **PICKERS,
}
ACCESSORY = by_type({**PRESSABLE, **MULTI_SELECTS, "image": IMAGE})
ACTION = by_type(PRESSABLE)
INPUT = by_type({**TEXT_INPUTS, **SELECTS, **MULTI_SELECTS, **CHOICES, **PICKERS})
