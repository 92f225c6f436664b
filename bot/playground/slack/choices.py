"""What a person chose: the part of a payload that each kind of element adds."""

from typing import Any

from bot.playground.slack.messages import Json, elements

OPTION_KINDS = {"overflow", "static_select", "external_select", "radio_buttons"}
OPTIONS_KINDS = {"checkboxes", "multi_static_select", "multi_external_select"}
FIELD_OF = {
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    **dict.fromkeys(OPTION_KINDS, ("selected_option", "initial_option")),
    **dict.fromkeys(OPTIONS_KINDS, ("selected_options", "initial_options")),
}


def action_of(element: Json, chosen: Any) -> Json:
    """One entry of `actions`; `chosen` is an option's value or label, or what was typed."""
    action = {key: element[key] for key in ("type", "action_id", "block_id")}
    if element["type"] == "button":
        value = {"value": element["value"]} if "value" in element else {}
        return {**action, "text": element["text"], **value}
    return {**action, **state_of(element, chosen)}


def state_of(element: Json, chosen: Any) -> Json:
    """An element's entry in `state.values`; None means that nothing was chosen."""
    kind = element["type"]
    if kind not in FIELD_OF:
        return {"type": kind, "value": None if chosen in {None, ""} else str(chosen)}
    return {"type": kind, FIELD_OF[kind][0]: _selected(element, kind, chosen)}


def _selected(element: Json, kind: str, chosen: Any) -> Any:
    if kind in OPTIONS_KINDS:
        return [option_named(element, one) for one in chosen or []]
    if kind in OPTION_KINDS and chosen is not None:
        return option_named(element, chosen)
    return chosen


def option_named(element: Json, wanted: Any) -> Json:
    """By value or by label; a whole option is taken as it is. Raises `LookupError`."""
    if isinstance(wanted, dict):
        return wanted
    found = [o for o in options_of(element) if wanted in {o["value"], o["text"]["text"]}]
    if not found:
        offered = [o["text"]["text"] for o in options_of(element)]
        raise LookupError(f"no option {wanted!r}; there are {offered}")
    return found[0]


def options_of(element: Json) -> list[Json]:
    grouped = [o for group in element.get("option_groups", []) for o in group["options"]]
    return [*element.get("options", []), *grouped]


def initial(element: Json) -> Any:
    if element["type"] in FIELD_OF:
        return element.get(FIELD_OF[element["type"]][1])
    return element.get("initial_value")


def addressed(view: Json, given: Json) -> Json:
    """What was filled in, by `block_id/action_id`.

    The keys of `given` are those, or labels, block ids or action ids. Raises `LookupError` for a
    key that fits nothing in the view.
    """
    filled: Json = {}
    unknown = set(given)
    for element in _stateful(view):
        for name in _names(view, element) & given.keys():
            filled[_address(element)] = given[name]
            unknown.discard(name)
    if unknown:
        raise LookupError(f"the view has no {sorted(unknown)}")
    return filled


def view_values(view: Json, filled: Json) -> Json:
    """`state.values` of a view; what is not filled in has its initial value."""
    values: Json = {}
    for element in _stateful(view):
        chosen = filled.get(_address(element), initial(element))
        held = values.setdefault(element["block_id"], {})
        held[element["action_id"]] = state_of(element, chosen)
    return values


def missing(view: Json, values: Json) -> list[str]:
    """The labels of required inputs that are empty; Slack does not submit the view then."""
    return [
        block["label"]["text"]
        for block in view["blocks"]
        if block["type"] == "input" and not block.get("optional")
        if not any(_is_filled(state) for state in values[block["block_id"]].values())
    ]


def _stateful(view: Json) -> list[Json]:
    return [e for e in elements(view["blocks"]) if e["type"] not in {"button", "overflow"}]


def _address(element: Json) -> str:
    return f"{element['block_id']}/{element['action_id']}"


def _names(view: Json, element: Json) -> set[str]:
    block = next(b for b in view["blocks"] if b["block_id"] == element["block_id"])
    label = (block.get("label") or {}).get("text", element["block_id"])
    return {_address(element), element["action_id"], element["block_id"], label}


def _is_filled(state: Json) -> bool:
    return any(value for key, value in state.items() if key != "type")
