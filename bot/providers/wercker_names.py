"""Names and ids of Wercker's applications and pipelines, remembered for a while."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.providers.memory import Memory
from bot.providers.visibility import INVISIBLE, visible
from bot.providers.wercker_addresses import is_application, is_id, is_name
from bot.providers.wercker_api import PAGE_LENGTH, V3, WerckerApi
from bot.providers.wercker_replies import ApplicationReply, Identified, PipelineReply
from bot.providers.wercker_words import Application, application_of, pipeline_key

R = TypeVar("R", bound=Identified)

IDENTITY_S = 3600.0  # an id keeps its name, as good as always
LIST_S = 600.0  # lists grow
_APPLICATIONS_A_PAGE = 100
_PAGES = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A pipeline and the application it is in, as far as the server tells."""

    pipeline: PipelineReply
    application: Application | None

    @property
    def key(self) -> str:
        return pipeline_key(self.pipeline, self.application)


class Names:
    """Shared by threads: two may ask the same at once, and then both answers are right."""

    def __init__(self, api: WerckerApi, clock: Clock, configured: tuple[str, ...]) -> None:
        self._api = api
        self._configured = configured
        self._applications: Memory[str, Application] = Memory(clock, IDENTITY_S)
        self._homes: Memory[str, Found] = Memory(clock, IDENTITY_S)
        self._homeless: Memory[str, bool] = Memory(clock, LIST_S)
        self._owned: Memory[str, tuple[Application, ...]] = Memory(clock, LIST_S)
        self._pipelines: Memory[str, tuple[PipelineReply, ...]] = Memory(clock, LIST_S)

    def application(self, key: str, deadline: Deadline) -> Application:
        """By `owner/name`, in any case that the server takes."""
        known = self._applications.get(key.lower())
        if known is not None:
            return known
        if not is_application(key):
            raise ProviderError(Kind.NOT_FOUND, "A Wercker application is written `owner/name`.")
        owner, name = key.split("/")
        reply = self._api.one(ApplicationReply, (*V3, "applications", owner, name), deadline)
        made = application_of(reply) or Application(reply.id, owner.lower(), name, owner)
        return self._applications.put(key.lower(), made)

    def forget(self, application: Application) -> None:
        self._applications.forget(application.key.lower())
        self._pipelines.forget(application.application_id)

    def owned(self, owner: str, deadline: Deadline) -> tuple[Application, ...]:
        """The owner's applications that this token may see, by name."""
        known = self._owned.get(owner.lower())
        if known is not None:
            return known
        if not is_name(owner):
            raise ProviderError(Kind.NOT_FOUND, "That is not the name of a Wercker owner.")
        path = (*V3, "applications", owner)
        replies = self._all(ApplicationReply, path, _APPLICATIONS_A_PAGE, deadline)
        made = (application_of(reply) for reply in replies)
        found = tuple(sorted((a for a in made if a), key=lambda a: a.key))
        for application in found:
            self._applications.put(application.key.lower(), application)
        return self._owned.put(owner.lower(), found)

    def pipelines(self, application: Application, deadline: Deadline) -> tuple[Found, ...]:
        known = self._pipelines.get(application.application_id)
        if known is None:
            path = (*V3, "applications", application.owner, application.name, "pipelines")
            replies = self._all(PipelineReply, path, PAGE_LENGTH, deadline)
            known = self._pipelines.put(application.application_id, tuple(replies))
        found = tuple(Found(pipeline, application) for pipeline in known)
        self.learn(found)
        return found

    def configured(self, deadline: Deadline) -> tuple[Found, ...]:
        """Every pipeline of the configured applications; those not visible are left out as
        long as others are.
        """
        parts = [partial(self._named, key, deadline) for key in self._configured]
        return tuple(visible(parts))

    def _named(self, key: str, deadline: Deadline) -> tuple[Found, ...]:
        return self.pipelines(self.application(key, deadline), deadline)

    def learn(self, found: Iterable[Found]) -> None:
        for item in found:
            if item.application is not None:
                self._homes.put(item.pipeline.id, item)

    def by_id(self, pipeline_id: str, deadline: Deadline) -> Found:
        known = self._homes.get(pipeline_id)
        if known is not None:
            return known
        reply = self._api.one(PipelineReply, (*V3, "pipelines", pipeline_id), deadline)
        found = Found(reply, application_of(reply.application))
        self.learn([found])
        return found

    def home(self, pipeline: PipelineReply, deadline: Deadline) -> Application | None:
        """The application of a pipeline; None where this token is not shown it, which costs
        the link and the key in words, and must not cost the run.
        """
        if self._homeless.get(pipeline.id):
            return None
        try:
            found = self.by_id(pipeline.id, deadline).application
        except ProviderError as error:
            if error.kind not in INVISIBLE | {Kind.BAD_REPLY}:
                raise
            found = None
        if found is None:
            self._homeless.put(pipeline.id, value=True)
        return found

    def find(self, key: str, deadline: Deadline) -> Found:
        """By id, by `owner/application/pipeline`, or by a pipeline name that only one of the
        configured applications has. NOT_FOUND with `known` keys otherwise.
        """
        if is_id(key):
            return self._find_id(key, deadline)
        owner, slash, rest = key.partition("/")
        if not slash:
            return _only(key, self.configured(deadline))
        name, _, label = rest.partition("/")
        application = self.application(f"{owner}/{name}", deadline)
        if not _matches(label, self.pipelines(application, deadline)):
            self._pipelines.forget(application.application_id)  # it may be new
        return _only(label, self.pipelines(application, deadline))

    def _find_id(self, pipeline_id: str, deadline: Deadline) -> Found:
        try:
            return self.by_id(pipeline_id, deadline)
        except ProviderError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
        raise _unknown(self.configured(deadline))

    def _all(
        self, model: type[R], path: tuple[str, ...], length: int, deadline: Deadline
    ) -> list[R]:
        """Every item of a list, page by page, ten pages at most; `skip` begins at 1."""
        found: dict[str, R] = {}
        skip = 0
        for _ in range(_PAGES):
            query = [("limit", str(length)), *([("skip", str(skip))] if skip else [])]
            page = self._api.page(model, path, deadline, query)
            found.update((item.id, item) for item in page.items)
            skip += page.length
            if page.length < length:
                break
        return list(found.values())


def _matches(label: str, among: tuple[Found, ...]) -> list[Found]:
    """The pipelines of that label; if none, those that differ in upper and lower case."""
    exact = [found for found in among if found.pipeline.label == label]
    return exact or [f for f in among if f.pipeline.label.lower() == label.lower()]


def _only(label: str, among: tuple[Found, ...]) -> Found:
    matches = _matches(label, among)
    if len(matches) == 1:
        return matches[0]
    raise _unknown(matches or among)


def _unknown(known: Iterable[Found]) -> ProviderError:
    return ProviderError(
        Kind.NOT_FOUND,
        "Wercker has no such pipeline, or it is not visible to this token.",
        known=tuple(found.key for found in known),
    )
