"""Which buttons a run gets, and how a vendor's limits are said."""

from bot.domain.errors import UserError
from bot.domain.providers import Capability, ProviderSpec
from bot.domain.replies import Control
from bot.domain.runs import Run
from bot.services.fleet import Instance


def controls_of(run: Run, spec: ProviderSpec) -> tuple[Control, ...]:
    """Retry for a run that is over, Abort for one that is not, as far as the vendor can."""
    if run.is_over:
        return (Control.RETRY,) if Capability.RETRY in spec.capabilities else ()
    return (Control.ABORT,) if Capability.ABORT in spec.capabilities else ()


def refusal(one: Instance, capability: Capability) -> UserError:
    """Why this vendor cannot do that, and what it can do instead."""
    why = one.spec.refusals.get(capability) or f"{one.spec.title} has no {capability}."
    return UserError(why, help_command="/runs providers")
