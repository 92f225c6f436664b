"""A claim on a mutation against what the deadlines of its way add up to."""

import inspect

from bot.services import sending
from bot.services.fleet import GRACE_S
from bot.slack import answering, web
from bot.store.sqlite import SqliteStore

STORE_S = inspect.signature(SqliteStore).parameters["wait_s"].default
POST_S = 2 * web.TIMEOUT_S + answering.LONGEST_WAIT_S
"""Once, a wait that Slack asks for, and once more."""


def test_the_longest_way_to_the_request_is_within_what_is_allowed() -> None:
    card_s = POST_S + web.TIMEOUT_S + answering.TIMEOUT_S
    assert card_s + STORE_S < sending.SENT_WITHIN_S


def test_a_claim_outlives_the_longest_way_to_its_end() -> None:
    change_s = sending.CHANGE_DEADLINE_S + GRACE_S
    assert sending.SENT_WITHIN_S + change_s + STORE_S < sending.LEASE_S
