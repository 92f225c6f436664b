"""views.* and blocks.validate."""

from typing import Any

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.api_content import refuse_problems
from bot.playground.slack.blocks import message_problems, view_problems
from bot.playground.slack.messages import Json
from bot.playground.slack.platform import Platform


def open_view(platform: Platform, arguments: Arguments) -> Json:
    view = _view(platform, arguments)
    return {"view": platform.views.open(_exchange(platform, arguments), view)}


def push(platform: Platform, arguments: Arguments) -> Json:
    view = _view(platform, arguments)
    pushed = platform.views.push(_exchange(platform, arguments), view)
    if pushed is None:
        raise ApiError("push_limit_reached")
    return {"view": pushed}


def update(platform: Platform, arguments: Arguments) -> Json:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if bool(view_id) == bool(external_id):
        _refuse("one of `view_id` and `external_id` is needed")
    view = _view(platform, arguments)
    held = platform.views.find(view_id, external_id)
    if held is None:
        raise ApiError("not_found")
    _check_hash(arguments, held)
    return {"view": platform.views.update(held, view)}


def publish(platform: Platform, arguments: Arguments) -> Json:
    user = arguments.need("user_id", "user_not_found")
    if user not in platform.workspace.people:
        raise ApiError("user_not_found")
    view = _view(platform, arguments, "home")
    held = platform.views.homes.get(user)
    if held is not None:
        _check_hash(arguments, held)
    return {"view": platform.views.publish(user, view)}


def blocks_validate(platform: Platform, arguments: Arguments) -> Json:
    """Takes exactly one of `blocks`, `message` and `view`."""
    del platform
    given = [
        name for name in ("blocks", "message", "view") if arguments.given.get(name) is not None
    ]
    if len(given) != 1:
        _refuse("exactly one of `blocks`, `message` and `view` is needed")
    held: Any = arguments.structure(given[0])
    if given[0] == "view":
        refuse_problems("invalid_arguments", view_problems(held))
    else:
        blocks = held if given[0] == "blocks" else dict(held or {}).get("blocks", [])
        refuse_problems("invalid_blocks", message_problems(blocks))
    return {}


def _view(platform: Platform, arguments: Arguments, kind: str = "modal") -> Json:
    view: Any = arguments.structure("view")
    if not isinstance(view, dict) or view.get("type") != kind:
        _refuse(f"must be a view of type {kind} [json-pointer:/view]")
    if platform.strict.blocks:
        refuse_problems("invalid_arguments", view_problems(view))
    return dict(view)


def _exchange(platform: Platform, arguments: Arguments) -> str:
    try:
        return platform.triggers.exchange(arguments.need("trigger_id"))
    except KeyError as unusable:
        raise ApiError(str(unusable.args[0])) from None


def _check_hash(arguments: Arguments, held: Json) -> None:
    given = arguments.text("hash")
    if given and given != held["hash"]:
        raise ApiError("hash_conflict")


def _refuse(words: str) -> None:
    raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {words}"]})
