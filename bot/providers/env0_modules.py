"""Modules of an env0 organization: their keys, and what is remembered about them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pattern, PipelineRef
from bot.net import clean_message
from bot.providers.env0_addresses import is_glob, is_key
from bot.providers.env0_api import Env0Api
from bot.providers.env0_replies import Identified, ModuleReply, Organization
from bot.providers.memory import Memory

LIST_S = 600.0


@dataclass(frozen=True, slots=True)
class Module:
    """`key` is what people type: the name where one module has it, else `name/provider`, else
    the id. `is_enabled` is None where the vendor does not say whether tests are on.
    """

    module_id: str
    key: str
    title: str = ""
    aliases: tuple[str, ...] = ()
    is_enabled: bool | None = None


def keyed(replies: Iterable[ModuleReply]) -> tuple[Module, ...]:
    """The modules that are not deleted, with their keys, by key. An ambiguous name stays an
    alias, so that a watch made while it was unique goes on.
    """
    present = {reply.id: reply for reply in replies if not reply.is_deleted}.values()
    taken = Counter(name for reply in present for name in _names(reply))
    modules = (_module(reply, taken) for reply in present)
    return tuple(sorted(modules, key=lambda module: module.key))


def _names(reply: ModuleReply) -> tuple[str, ...]:
    """How people may write it; nothing where the name cannot be typed."""
    name, provider = reply.module_name or "", reply.module_provider
    forms = (name, f"{name}/{provider}") if provider else (name,)
    return tuple(form for form in forms if is_key(form) and name == form.partition("/")[0])


def _module(reply: ModuleReply, taken: Counter[str]) -> Module:
    names = _names(reply)
    key = next((name for name in names if taken[name] == 1), reply.id)
    title = clean_message(reply.module_name or "", 100)
    if reply.module_provider:
        title += f" ({clean_message(reply.module_provider, 60)})"
    if reply.module_test_enabled is False:
        title += ", tests are off"
    aliases = tuple(name for name in (reply.id, *names) if name != key)
    return Module(reply.id, key, title.strip(), aliases, reply.module_test_enabled)


class Modules:
    """Of one organization. Thread-safe: two may ask the same at once, and both are right."""

    def __init__(self, api: Env0Api, clock: Clock, organization_id: str | None) -> None:
        self._api = api
        self._organization_id = organization_id
        self._lists: Memory[str, tuple[Module, ...]] = Memory(clock, LIST_S)
        self._projects: Memory[str, str] = Memory(clock, LIST_S)
        self._gone: Memory[str, bool] = Memory(clock, LIST_S)

    def organizations(self, deadline: Deadline) -> tuple[Organization, ...]:
        """Those of the key; also the cheapest proof of it."""
        return self._api.items(Organization, ("organizations",), deadline).items

    def organization_id(self, deadline: Deadline) -> str:
        """The configured one, else the key's only one."""
        if self._organization_id is None:
            self._organization_id = the_one(self.organizations(deadline), None).id
        return self._organization_id

    def all(self, deadline: Deadline) -> tuple[Module, ...]:
        return self._lists.get("") or self.read(deadline)

    def read(self, deadline: Deadline) -> tuple[Module, ...]:
        """The list, asked for now. A bare array: no paging is known."""
        query = [("organizationId", self.organization_id(deadline))]
        replies = self._api.items(ModuleReply, ("modules",), deadline, query)
        return self._lists.put("", keyed(replies.items))

    def forget(self) -> None:
        self._lists.forget("")

    def fresh(self, module_id: str, deadline: Deadline) -> ModuleReply:
        """One module, asked for now; NOT_FOUND if it is deleted."""
        reply = self._api.one(ModuleReply, ("modules", module_id), deadline)
        if reply.is_deleted:
            raise ProviderError(Kind.NOT_FOUND, "This module was deleted in env0.")
        return reply

    def find(self, key: str, deadline: Deadline) -> Module:
        """By key, id, `name/provider` or name. NOT_FOUND with `known` keys if there is none, or
        more than one; a new module is looked for once.
        """
        if not is_key(key):
            raise _unknown(self.all(deadline))
        found = _matches(key, self.all(deadline)) or _matches(key, self.read(deadline))
        if len(found) == 1:
            return found[0]
        raise _unknown(found or self.all(deadline))

    def matching(self, pattern: str, deadline: Deadline) -> tuple[Module, ...]:
        """The module of a key, or those of a glob that may have new runs."""
        if not is_glob(pattern):
            return (self.find(pattern, deadline),)
        wanted = Pattern("*", pattern)
        return tuple(
            module
            for module in self.all(deadline)
            if module.is_enabled is not False
            and wanted.matches(PipelineRef("-", module.key), module.aliases)
        )

    def by_id(self, module_id: str, deadline: Deadline) -> Module:
        """A module that is not listed (deleted, say) is known by its id alone."""
        for listing in (self.all, self.read):
            found = next((m for m in listing(deadline) if m.module_id == module_id), None)
            if found is not None:
                return found
            if self._gone.get(module_id):
                break
        self._gone.put(module_id, value=True)
        return Module(module_id, module_id)

    def project_id(self, deadline: Deadline) -> str | None:
        """The project of all module tests, for links only: None where it cannot be read."""
        known = self._projects.get("")
        if known is None:
            try:
                known = self.project(deadline)
            except ProviderError:
                known = ""
            self._projects.put("", known)
        return known or None

    def project(self, deadline: Deadline) -> str:
        path = ("projects", "modules", "testing", self.organization_id(deadline))
        return self._api.one(Identified, path, deadline).id


def the_one(organizations: Sequence[Organization], wanted: str | None) -> Organization:
    """The organization to work in. FORBIDDEN if the key has none, or not the wanted one;
    INVALID if it has several and none is wanted.
    """
    names = ", ".join(f"{_shown(one)} ({one.id})" for one in organizations[:10])
    if wanted is not None:
        found = next((one for one in organizations if one.id == wanted), None)
        if found is None:
            message = "The API key does not belong to the organization of ORGANIZATION_ID."
            raise ProviderError(Kind.FORBIDDEN, message + (f" It sees {names}." if names else ""))
        return found
    if not organizations:
        raise ProviderError(Kind.FORBIDDEN, "The API key sees no organization of env0.")
    if len(organizations) > 1:
        message = f"The API key sees several organizations: set ORGANIZATION_ID to one of {names}."
        raise ProviderError(Kind.INVALID, message)
    return organizations[0]


def _shown(organization: Organization) -> str:
    return clean_message(organization.name or "", 60) or "no name"


def _matches(key: str, modules: tuple[Module, ...]) -> tuple[Module, ...]:
    """The module of that key or, if none, all of that other name; case counts last."""
    for wanted in (
        lambda m: key == m.key,
        lambda m: key in m.aliases,
        lambda m: key.lower() in {name.lower() for name in (m.key, *m.aliases)},
    ):
        found = tuple(module for module in modules if wanted(module))
        if found:
            return found
    return ()


def _unknown(known: Sequence[Module]) -> ProviderError:
    return ProviderError(
        Kind.NOT_FOUND,
        "env0 has no module of that name in this organization, or more than one.",
        known=tuple(module.key for module in known),
    )
