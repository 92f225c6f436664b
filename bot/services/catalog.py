"""What there is: pipelines to choose from, and the configured providers in words."""

from datetime import timedelta
from fnmatch import fnmatchcase

from bot.domain.clock import Clock, Deadline
from bot.domain.intents import ListPipelines
from bot.domain.pipelines import Pattern, Pipeline
from bot.domain.providers import Capability
from bot.domain.replies import Answer, PipelineList, ProviderList, ProviderState
from bot.domain.store import Store
from bot.services.fleet import Fleet, Instance
from bot.services.parallel import Parallel

DEADLINE_S = 2.0


class Catalog:
    def __init__(self, fleet: Fleet, store: Store, parallel: Parallel, clock: Clock) -> None:
        self._fleet = fleet
        self._store = store
        self._parallel = parallel
        self._clock = clock

    def list_pipelines(self, intent: ListPipelines) -> Answer:
        deadline = Deadline.after(self._clock, DEADLINE_S)
        pattern = Pattern.parse(intent.glob)
        instances = [i for i in self._fleet if fnmatchcase(i.name, pattern.instance)]
        answers, silent = self._parallel.ask(
            instances, lambda one: one.ask(lambda p: p.pipelines(deadline), deadline), deadline
        )
        found: list[Pipeline] = [
            p for all_ in answers.values() for p in all_ if pattern.matches(p.ref, p.aliases)
        ]
        reply = PipelineList(tuple(sorted(found, key=lambda p: p.ref)), intent.glob, silent)
        return Answer(reply, intent.is_shared)

    def list_providers(self, *, is_shared: bool = False) -> Answer:
        deadline = Deadline.after(self._clock, DEADLINE_S)
        answers, silent = self._parallel.ask(
            tuple(self._fleet),
            lambda one: one.ask(lambda p: p.check(deadline), deadline),
            deadline,
        )
        problems = {one.instance: one for one in silent}
        ages = self._poll_ages()
        states = []
        for one in self._fleet:
            health, problem = answers.get(one.name), problems.get(one.name)
            states.append(
                ProviderState(
                    one.name,
                    one.spec.title,
                    is_reachable=health is not None,
                    account=health.account if health else "",
                    is_refused=problem is not None and problem.is_refused,
                    problem=problem.why if problem else "",
                    poll_age=ages.get(one.name),
                    can=abilities(one),
                    cannot=tuple(one.spec.refusals.values()),
                    notes=health.notes if health else (),
                )
            )
        return Answer(ProviderList(tuple(states)), is_shared)

    def _poll_ages(self) -> dict[str, timedelta]:
        ages: dict[str, float] = {}
        for state in self._store.source_states():
            if state.good_poll_age_s is not None:
                name = state.key.instance
                ages[name] = max(ages.get(name, 0.0), state.good_poll_age_s)
        return {name: timedelta(seconds=age) for name, age in ages.items()}


def abilities(one: Instance) -> tuple[str, ...]:
    """What an instance can do, in words."""
    words = []
    for capability in Capability:
        if not one.can(capability):
            continue
        if capability is Capability.RETRY and not one.spec.retry_is_native:
            words.append("retry (as a new run)")
        else:
            words.append(str(capability))
    return tuple(words)
