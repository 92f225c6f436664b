"""How strictly the stand-in behaves; a test may loosen one thing at a time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Strictness:
    """All switches are on as Slack is; they may be changed while it runs."""

    rate_limit: bool = True
    """One message a second and channel, after a burst of `message_burst`."""
    message_burst: int = 4
    tier_limits: bool = True
    """20, 50 or 100 calls a minute and method."""
    scopes: bool = True
    blocks: bool = True
    trigger_ids: bool = True
    """A trigger id opens one view, within `trigger_id_s`."""
    trigger_id_s: float = 3.0
    response_urls: bool = True
    """A response URL takes 5 posts in 30 minutes."""
    membership: bool = True
    ack_limit_s: float = 3.0
    """Seconds of real time a receiver has for its ack."""
    retry_waits_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    """Seconds of real time before each further delivery of an event."""
    ack_on_same_connection: bool = False
    """Whether Slack takes an ack on another connection is not known."""
