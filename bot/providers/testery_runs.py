"""Runs of Testery as read one by one: where they belong, and how they stand."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Run, TestResult
from bot.providers.testery_api import TesteryApi, run_in
from bot.providers.testery_names import Names
from bot.providers.testery_replies import RUN_ID, ResultReply, RunReply
from bot.providers.testery_results import failed_names, is_waiting, tests_of
from bot.providers.testery_words import run_of


class Runs:
    """Shared by threads."""

    def __init__(self, instance: str, api: TesteryApi, names: Names) -> None:
        self._instance, self._api, self._names = instance, api, names

    def read(self, run_id: str, deadline: Deadline) -> RunReply:
        """One run as it stands now; BAD_REPLY if another one comes back."""
        reply = self._api.one(RunReply, ("test-runs", checked(run_id)), deadline)
        if str(reply.id) != run_id:
            raise ProviderError(Kind.BAD_REPLY, "Testery answered with another run.")
        return reply

    def get(self, run_id: str, deadline: Deadline) -> Run:
        """By its ids where the names cannot be had."""
        reply = self.read(run_id, deadline)
        self._names.prepare([reply], deadline)
        return self.known(reply)

    def shown(self, replies: Iterable[RunReply], deadline: Deadline) -> tuple[Run, ...]:
        """The runs with their names and links; these are asked for unless remembered. An error
        if a name cannot be had: people watch and list by them.
        """
        known = list(replies)
        self._names.prepare(known, deadline, is_needed=True)
        return tuple(map(self.known, known))

    def known(self, reply: RunReply) -> Run:
        """The run with the names and links that are remembered. No I/O."""
        return run_of(
            self._instance, reply, self._names.home(reply), self._names.links.run(reply.id)
        )

    def moved(self, run: Run, reply: RunReply) -> Run:
        """`run`, or its repetition, as `reply` shows it now. It belongs where it did, and what a
        sparse reply leaves out stays. No I/O.
        """
        now = self.known(reply)
        is_same = now.ref == run.ref
        return replace(
            now,
            pipeline=run.pipeline,
            aliases=run.aliases,
            environment=run.environment,
            title=now.title or run.title,
            branch=now.branch or run.branch,
            commit=now.commit or run.commit,
            created=now.created or (run.created if is_same else None),
            url=now.url or (run.url if is_same else None),
            parameters=now.parameters or run.parameters,
        )

    def after(self, run: Run, value: Any, deadline: Deadline) -> Run:
        """`run` after a change was taken: as the answer shows it, else as read again, else as it
        was. The change is done, so nothing that goes wrong here may look like a refusal.
        """
        reply = run_in(value)
        if reply is not None and str(reply.id) == run.ref.run_id:
            return self.moved(run, reply)
        try:
            return self.moved(run, self.read(run.ref.run_id, deadline))
        except ProviderError:
            return run

    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        """Failed tests first. The run itself is asked for only where it decides about a test
        that is still to come.
        """
        results = self._results(run_id, deadline)
        self._names.learn_account(deadline)
        is_over = any(map(is_waiting, results)) and self.known(self.read(run_id, deadline)).is_over
        return tests_of(results, run_id, self._names.links, is_over=is_over)

    def failing(self, run_id: str, deadline: Deadline) -> tuple[str, ...]:
        """The names of its failed tests; one request."""
        return failed_names(self._results(run_id, deadline))

    def _results(self, run_id: str, deadline: Deadline) -> tuple[ResultReply, ...]:
        path = ("test-runs", checked(run_id), "results")
        return self._api.page(ResultReply, path, deadline).items


def checked(run_id: str) -> str:
    """The id, if it can be one: nothing else goes into a path. NOT_FOUND otherwise."""
    if not RUN_ID.fullmatch(run_id):
        raise ProviderError(Kind.NOT_FOUND, "A Testery run id is a number.")
    return run_id
