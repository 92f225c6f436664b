"""From what people name to the run or pipeline they mean. Nothing is guessed."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.domain.chat import Asker
from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError, UserError
from bot.domain.intents import (
    RunById,
    RunByNumber,
    RunByPipeline,
    RunByUrl,
    RunChoice,
    RunOfThread,
)
from bot.domain.pipelines import Pipeline
from bot.domain.runs import Run, RunRef, is_run_id
from bot.domain.statuses import Status
from bot.domain.store import Store
from bot.services.fleet import Fleet, Instance, nearest

LISTING_AGE_S = 30 * 60
"""How long `#n` keeps its meaning."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run that was named and read just now. `is_indirect`: named by its place in a list."""

    instance: Instance
    run: Run
    is_indirect: bool = False


@dataclass(frozen=True, slots=True)
class ChosenPipeline:
    instance: Instance
    pipeline: Pipeline


class Choices:
    def __init__(self, fleet: Fleet, store: Store) -> None:
        self._fleet = fleet
        self._store = store

    def instance_of(self, choice: RunChoice, asker: Asker) -> Instance | None:
        """The instance a choice names by itself, without asking any vendor; None if several
        could be meant. UserError if the choice names nothing.
        """
        match choice:
            case RunById(None, _) | RunByPipeline():
                return None
            case _:
                return self._fleet.get(self._ref(choice, asker).instance)

    def run(self, choice: RunChoice, asker: Asker, deadline: Deadline) -> Chosen:
        """Reads the run that is meant. UserError if there is none or more than one."""
        match choice:
            case RunById(None, run_id):
                return self._by_bare_id(run_id, deadline)
            case RunByPipeline(pipeline, which):
                return self._by_pipeline(pipeline, which, deadline)
            case _:
                ref = self._ref(choice, asker)
                is_indirect = isinstance(choice, RunByNumber)
                return Chosen(self._fleet.get(ref.instance), self.read(ref, deadline), is_indirect)

    def read(self, ref: RunRef, deadline: Deadline) -> Run:
        """Reads one run from its vendor now."""
        instance = self._fleet.get(ref.instance)
        try:
            return instance.ask(lambda p: p.get(ref.run_id, deadline), deadline)
        except ProviderError as error:
            if error.kind is Kind.NOT_FOUND:
                raise UserError(
                    f"no run {ref} ({error.message})", help_command="/runs help"
                ) from error
            raise

    def pipeline(self, text: str, deadline: Deadline) -> ChosenPipeline:
        """The pipeline people mean by `instance:key`, or by a key that one instance knows."""
        name, colon, key = text.partition(":")
        if colon:
            return self._pipeline_at(self._fleet.get(name), key, deadline)
        return self._pipeline_anywhere(text, deadline)

    def _ref(self, choice: RunChoice, asker: Asker) -> RunRef:
        match choice:
            case RunById(str(name), run_id):
                return self._checked(self._fleet.get(name), run_id)
            case RunByUrl(url):
                return self._by_url(url)
            case RunByNumber(number):
                return self._by_number(number, asker)
            case RunOfThread():
                return self._of_thread(asker)
            case _:
                raise UserError("name the run as `instance:id`.", help_command="/runs help")

    def _checked(self, instance: Instance, run_id: str) -> RunRef:
        if not is_run_id(run_id) or not re.fullmatch(instance.spec.id_pattern, run_id):
            raise UserError(
                f'"{run_id[:80]}" is not a run id of {instance.spec.title}.',
                help_command="/runs help",
            )
        return RunRef(instance.name, run_id)

    def _by_url(self, url: str) -> RunRef:
        for instance in self._fleet:
            run_id = instance.provider.run_id_in(url)
            if run_id is not None:
                return self._checked(instance, run_id)
        raise UserError(
            "that address is not a run of a configured provider. Paste a run's page, or type "
            f"`instance:id`; configured: {', '.join(self._fleet.names) or 'none'}.",
            help_command="/runs providers",
        )

    def _by_number(self, number: int, asker: Asker) -> RunRef:
        refs = self._store.listing(asker.channel, asker.user_id, LISTING_AGE_S)
        if not refs:
            raise UserError(
                f"#{number} needs a listing of yours in this channel, at most 30 minutes old.",
                maybe=("/runs",),
                help_command="/runs help",
            )
        if not 1 <= number <= len(refs):
            raise UserError(f"#{number} is not in your last listing; it has 1 to {len(refs)}.")
        return refs[number - 1]

    def _of_thread(self, asker: Asker) -> RunRef:
        ref = self._store.card_run(asker.channel, asker.thread_ts) if asker.thread_ts else None
        if ref is None:
            raise UserError(
                "name the run as `instance:id`, or say it in the thread of a run's card.",
                help_command="/runs help",
            )
        return ref

    def _by_bare_id(self, run_id: str, deadline: Deadline) -> Chosen:
        candidates = [
            i for i in self._fleet if is_run_id(run_id) and re.fullmatch(i.spec.id_pattern, run_id)
        ]
        found: list[Chosen] = []
        problems: list[ProviderError] = []
        for instance in candidates:
            try:
                found.append(Chosen(instance, self._get(instance, run_id, deadline)))
            except ProviderError as error:
                if error.kind is not Kind.NOT_FOUND:
                    problems.append(error)
        if len(found) == 1 and not problems:
            return found[0]
        if not found and problems:
            raise problems[0]
        if not found:
            raise UserError(
                f'no configured provider knows a run "{run_id[:80]}"; write it as `instance:id`.',
                help_command="/runs help",
            )
        raise which_one(run_id, "run", [str(one.run.ref) for one in found])

    def _get(self, instance: Instance, run_id: str, deadline: Deadline) -> Run:
        return instance.ask(lambda p: p.get(run_id, deadline), deadline)

    def _by_pipeline(
        self, text: str, which: Literal["last", "last-failed", "last-green"], deadline: Deadline
    ) -> Chosen:
        chosen = self.pipeline(text, deadline)
        key = chosen.pipeline.ref.key
        runs = chosen.instance.ask(lambda p: p.recent(key, 50, deadline), deadline)
        for run in runs:
            if _fits(run, which):
                return Chosen(chosen.instance, run)
        raise UserError(f"{chosen.pipeline.ref} has no such run among its last {len(runs)}.")

    def _pipeline_at(self, instance: Instance, key: str, deadline: Deadline) -> ChosenPipeline:
        try:
            pipeline = instance.ask(lambda p: p.find_pipeline(key, deadline), deadline)
        except ProviderError as error:
            if error.kind not in {Kind.NOT_FOUND, Kind.INVALID}:
                raise
            maybe = tuple(f"{instance.name}:{k}" for k in nearest(key, error.known))
            raise UserError(
                f'no pipeline "{key}" in {instance.name}: {error.message}',
                maybe=maybe,
                instead_of=f"{instance.name}:{key}",
                help_command=_pipelines_like(key),
            ) from error
        return ChosenPipeline(instance, pipeline)

    def _pipeline_anywhere(self, key: str, deadline: Deadline) -> ChosenPipeline:
        """The one instance that has this key. A question if one more may have it, be it that it
        does not answer or that it has a key much like it: some take any key of the right form.
        """
        found: list[ChosenPipeline] = []
        maybe: list[str] = []
        problems: list[ProviderError] = []
        for instance in self._fleet:
            try:
                found.append(self._pipeline_at(instance, key, deadline))
            except UserError as error:
                maybe.extend(error.maybe)
            except ProviderError as error:
                problems.append(error)
        if len(found) == 1 and not problems and (not maybe or self._is_listed(found[0], deadline)):
            return found[0]
        if found:
            refs = [str(one.pipeline.ref) for one in found]
            raise which_one(key, "pipeline", [*refs, *maybe[:3]])
        if problems:
            raise problems[0]
        names = ", ".join(self._fleet.names) or "no provider"
        raise UserError(
            f'no pipeline "{key}" in {names}',
            maybe=tuple(maybe[:3]),
            instead_of=key,
            help_command=_pipelines_like(key),
        )

    def _is_listed(self, one: ChosenPipeline, deadline: Deadline) -> bool:
        try:
            known = one.instance.ask(lambda p: p.pipelines(deadline), deadline)
        except ProviderError:
            return False
        return any(pipeline.ref == one.pipeline.ref for pipeline in known)


def which_one(typed: str, what: str, refs: list[str]) -> UserError:
    """The question after a name that may mean several things; `refs` are their full forms."""
    return UserError(
        f'"{typed[:80]}" may be a {what} in more than one place; which one?',
        maybe=tuple(refs),
        instead_of=typed,
        help_command="/runs help",
    )


def _pipelines_like(key: str) -> str:
    return f"/runs pipelines {key[:1]}*" if key else "/runs pipelines"


def _fits(run: Run, which: Literal["last", "last-failed", "last-green"]) -> bool:
    if which == "last":
        return True
    return run.status.is_failure if which == "last-failed" else run.status is Status.PASSED
