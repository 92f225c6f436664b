"""Names and ids of an account's projects and environments, remembered for a while."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.providers.testery_api import Page, TesteryApi
from bot.providers.testery_links import Links
from bot.providers.testery_replies import (
    AccountReply,
    EnvironmentReply,
    ProjectReply,
    RunReply,
    SuiteReply,
)
from bot.providers.testery_words import Home

T = TypeVar("T", ProjectReply, EnvironmentReply)

LIST_S = 3600.0  # a listed id keeps its key; one that is not listed makes us look again
MISSING_S = 60.0  # for how long an id that a list does not have is taken to stay so
NO_LINK_S = 60.0
_HIDDEN = frozenset({Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.BAD_REPLY})
_MOST_KNOWN = 500


@dataclass(frozen=True, slots=True)
class Place:
    """What people mean by a key. `environment` is None for a project as a whole."""

    project: ProjectReply
    environment: EnvironmentReply | None = None

    @property
    def home(self) -> Home:
        environment = self.environment
        return Home(
            self.project.key,
            environment.key if environment else None,
            self.project.id,
            environment.id if environment else None,
        )

    @property
    def title(self) -> str:
        project = self.project.name or self.project.key
        if self.environment is None:
            return project
        return f"{project} on {self.environment.name or self.environment.key}"


@dataclass(slots=True)
class _List(Generic[T]):
    """One list of the account as last read, and whether that was all of it. `gone` are ids that
    it did not have, with the time until which they are not looked for again.
    """

    path: str
    model: type[T]
    items: tuple[T, ...] = ()
    is_whole: bool = True
    fresh_until: float = -1.0
    gone: dict[int, float] = field(default_factory=dict)

    def named(self, item_id: int | None) -> T | None:
        return next((item for item in self.items if item.id == item_id), None)


class Names:
    """Shared by threads: two may ask the same at once, and then both answers are right."""

    def __init__(self, api: TesteryApi, clock: Clock, web_url: str) -> None:
        self._api, self._clock, self._web_url = api, clock, web_url
        self._lock = threading.Lock()
        self._projects = _List("projects", ProjectReply)
        self._environments = _List("environments", EnvironmentReply)
        self._account: str | None = None
        self._account_until = -1.0

    # What is remembered, without I/O

    @property
    def account(self) -> str | None:
        """The name that stands in web links, once it was read."""
        return self._account

    @property
    def links(self) -> Links:
        return Links(self._web_url, self._account)

    def home(self, reply: RunReply) -> Home:
        """Where a run belongs, as far as its reply and the lists tell."""
        project = self._projects.named(reply.project_id)
        environment = self._environments.named(reply.environment_id)
        return Home(
            project.key if project else None,
            reply.environment or (environment.key if environment else None),
            reply.project_id,
            reply.environment_id,
        )

    # What may ask

    def prepare(
        self, replies: Iterable[RunReply], deadline: Deadline, *, is_needed: bool = False
    ) -> None:
        """Sees to it that `home` and `links` know these runs. An account without a name costs the
        links. Lists that this token is not shown, or not in full, cost the keys; where people go
        by them, `is_needed`, that is an error: nobody would notice that a watch hears nothing.
        """
        known = list(replies)
        project_ids = {reply.project_id for reply in known if reply.project_id}
        unnamed = [reply for reply in known if reply.environment is None]
        environment_ids = {reply.environment_id for reply in unnamed if reply.environment_id}
        self._cover(self._projects, project_ids, deadline, is_needed=is_needed)
        self._cover(self._environments, environment_ids, deadline, is_needed=is_needed)
        self.learn_account(deadline)

    def learn_account(self, deadline: Deadline) -> None:
        """Reads the account's name, unless it is remembered. It is for links only, so it may
        fail, and takes at most half of the time that is left.
        """
        now = self._clock.monotonic()
        if now < self._account_until:
            return
        try:
            half = deadline.at_most(deadline.remaining_s() / 2)
            self.put_account(self._api.one(AccountReply, ("account",), half))
        except ProviderError:
            self._account_until = now + NO_LINK_S

    def put_account(self, reply: AccountReply) -> None:
        self._account, self._account_until = reply.name, self._clock.monotonic() + LIST_S

    def projects(self, deadline: Deadline) -> tuple[ProjectReply, ...]:
        return self._read(self._projects, deadline)

    def environments(self, deadline: Deadline) -> tuple[EnvironmentReply, ...]:
        return self._read(self._environments, deadline)

    def forget(self) -> None:
        """Makes the next question go to the vendor."""
        self._projects.fresh_until = self._environments.fresh_until = -1.0

    def places(self, deadline: Deadline) -> tuple[Place, ...]:
        """Every project, alone and in each environment that is not archived."""
        environments = [e for e in self.environments(deadline) if not e.archived]
        projects = self.projects(deadline)
        if len(projects) * len(environments) > _MOST_KNOWN:
            return tuple(Place(project) for project in projects)
        return tuple(
            Place(project, environment)
            for project in projects
            for environment in (None, *environments)
        )

    def find(self, key: str, deadline: Deadline) -> Place:
        """By `project` or `project/environment`, keys or ids; a spelling that differs in case is
        taken if nothing else fits. NOT_FOUND with `known` keys otherwise.
        """
        place = self._place(key, deadline)
        if place is None:
            self.forget()  # it may be new
            place = self._place(key, deadline)
        if place is not None:
            return place
        message = f"{self._unknown_part(key, deadline)} It is written project/environment."
        known = tuple(place.home.key for place in self.places(deadline))
        raise ProviderError(Kind.NOT_FOUND, message, known=known)

    def suite_id(self, project: ProjectReply, name: str, deadline: Deadline) -> int:
        """The id of a test suite by its name, without regard to case."""
        path = ("projects", str(project.id), "test-suites")
        suites = self._api.page(SuiteReply, path, deadline).items
        for suite in suites:
            if suite.name.casefold() == name.strip().casefold():
                return suite.id
        names = tuple(suite.name for suite in suites)
        there_are = f"there are: {', '.join(names)}." if names else "there are none."
        message = f"{project.key} has no such test suite; {there_are}"
        raise ProviderError(Kind.NOT_FOUND, message, known=names)

    def _place(self, key: str, deadline: Deadline) -> Place | None:
        for project, rest in _split(key, self.projects(deadline)):
            if not rest:
                return Place(project)
            environment = _spelt(rest, self.environments(deadline))
            if environment is not None:
                return Place(project, environment)
        return None

    def _unknown_part(self, key: str, deadline: Deadline) -> str:
        if any(rest for _, rest in _split(key, self.projects(deadline))):
            return "Testery has no such environment in this account."
        return "Testery has no such project in this account."

    def _read(self, wanted: _List[T], deadline: Deadline) -> tuple[T, ...]:
        now = self._clock.monotonic()
        with self._lock:
            if now < wanted.fresh_until:
                return wanted.items
        page: Page[T] = self._api.page(wanted.model, (wanted.path,), deadline)
        is_whole = bool(page.items) and not page.bad_items
        items = {} if is_whole else {item.id: item for item in wanted.items}
        items |= {item.id: item for item in page.items}  # better an older name than none
        with self._lock:
            wanted.items, wanted.is_whole = tuple(items.values()), is_whole
            wanted.fresh_until = now + LIST_S
            return wanted.items

    def _cover(
        self, wanted: _List[T], ids: set[int], deadline: Deadline, *, is_needed: bool
    ) -> None:
        """Reads the list again if it does not have one of `ids`, unless that was tried lately. An
        older reading is good enough while there is no newer one.
        """
        now = self._clock.monotonic()
        missing = {i for i in ids if wanted.named(i) is None and wanted.gone.get(i, -1.0) <= now}
        if missing:
            wanted.fresh_until = -1.0
        if not ids or now < wanted.fresh_until:
            return
        try:
            self._read(wanted, deadline)
        except ProviderError as error:
            if missing and (is_needed or error.kind not in _HIDDEN):
                raise
            wanted.fresh_until = now + NO_LINK_S
            return
        still = {i for i in missing if wanted.named(i) is None}
        if still and not wanted.is_whole:
            if is_needed:
                raise _unnamed(wanted.path)
            return
        with self._lock:
            gone = {i: until for i, until in wanted.gone.items() if until > now}
            wanted.gone = gone | dict.fromkeys(still, now + MISSING_S)


def _unnamed(path: str) -> ProviderError:
    message = f"Testery's list of {path} cannot be read in full, and a run is of one not in it."
    return ProviderError(Kind.BAD_REPLY, message)


Spelling = Callable[[str, str, int], bool]


def _by_key(text: str, key: str, _item_id: int) -> bool:
    return text == key


def _by_id(text: str, _key: str, item_id: int) -> bool:
    return text == str(item_id)


def _roughly(text: str, key: str, _item_id: int) -> bool:
    return text.casefold() == key.casefold()


_SPELLINGS: tuple[Spelling, ...] = (_by_key, _by_id, _roughly)


def _spelt(text: str, among: Sequence[T]) -> T | None:
    """The one that `text` names best."""
    return next(
        (one for is_it in _SPELLINGS for one in among if is_it(text, one.key, one.id)), None
    )


def _split(key: str, projects: Sequence[ProjectReply]) -> Iterator[tuple[ProjectReply, str]]:
    """The projects that a key may begin with, best first, and what follows them: an environment,
    or nothing. Keys may hold slashes themselves.
    """
    cuts = [index for index, character in enumerate(key[:-1]) if character == "/"]
    for is_it in _SPELLINGS:
        for project in projects:
            for cut in (len(key), *cuts):
                if is_it(key[:cut], project.key, project.id):
                    yield project, key[cut + 1 :]
