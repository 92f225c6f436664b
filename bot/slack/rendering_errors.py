"""Errors, always in the same four parts, and plain notices."""

from bot.domain.replies import Notice, Offer, Problem
from bot.slack.blocks import MOST_VALUE, Button
from bot.slack.masking import MASK
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import TONES
from bot.slack.text import literal, prose
from bot.slack.values import CommandPress

_MOST_OFFERS = 5


def problem(reply: Problem, context: RenderContext) -> Rendered:
    """What was read, what is wrong, what may have been meant (as buttons), where help is."""
    offers = reply.maybe[:_MOST_OFFERS]
    pressed = {n: _button(n, one, context) for n, one in enumerate(offers, 1)}
    buttons = [button for button in pressed.values() if button]
    typed = [one for n, one in enumerate(offers, 1) if pressed[n] is None]
    head = f"✖ I read:   {_command(reply.read, context)}" if reply.read else ""
    body = f"{'  ' if head else '✖ '}problem:  {prose(with_prefix(reply.problem, context.prefix))}"
    help_ = with_prefix(reply.help, context.prefix)
    end = f"  help:     {literal(help_, 300)}" if help_ else ""
    shown = compose([head, body, _maybe(typed, context), end], buttons=buttons)
    said = compose([head, body, _maybe(offers, context), end])
    return Rendered(said.text, shown.blocks)


def notice(reply: Notice, context: RenderContext) -> Rendered:
    lines = [prose(line) for line in with_prefix(reply.text, context.prefix).splitlines()]
    first, *rest = lines or [""]
    return compose([f"{TONES[reply.tone]} {first}", *rest])


def _maybe(offers: tuple[Offer, ...] | list[Offer], context: RenderContext) -> str:
    if not offers:
        return ""
    return "  maybe:    " + "  ".join(f"[{_command(one.command, context)}]" for one in offers)


def _command(text: str, context: RenderContext) -> str:
    return literal(with_prefix(text, context.prefix), 1000)


def _button(number: int, offer: Offer, context: RenderContext) -> Button | None:
    """None for a command that cannot be repeated: too long, or with a masked value in it."""
    if MASK in offer.command:
        return None
    value = context.sign(CommandPress(offer.command))
    if len(value) > MOST_VALUE:
        return None
    return Button(with_prefix(offer.label, context.prefix), f"offer_{number}", value)
