"""Jobs of Allure TestOps: pipelines, and what their names and ids mean."""

from collections.abc import Iterable, Sequence
from functools import partial

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pipeline, PipelineRef
from bot.providers.allure_addresses import is_id
from bot.providers.allure_api import AllureApi
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import JobReply
from bot.providers.allure_words import line, web_url
from bot.providers.memory import Memory
from bot.providers.visibility import INVISIBLE, visible

LIST_S = 600.0  # jobs are added now and then
_PAGES = 10


class Jobs:
    """Shared by threads. A project lists its jobs (section 2 of the vendor facts, A9): that
    gives ids, names and candidates at once, and proves that an id is of this project.
    """

    def __init__(
        self,
        instance: str,
        api: AllureApi,
        launches: Launches,
        clock: Clock,
        projects: tuple[str, ...],
    ) -> None:
        self._instance, self._api, self._launches = instance, api, launches
        self._projects = projects
        self._listed: Memory[str, tuple[JobReply, ...]] = Memory(clock, LIST_S)

    def of(self, project: str, deadline: Deadline) -> tuple[JobReply, ...]:
        """The jobs of a project, 1,000 at most, remembered for ten minutes."""
        known = self._listed.get(project)
        if known is not None:
            return known
        query = [("projectId", project)]
        return self._listed.put(
            project, self._api.every(JobReply, ("job",), deadline, query, _PAGES)
        )

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        """The configured projects and their jobs; what is not visible is left out as long as
        something else is.
        """
        parts = [partial(self._of_project, project, deadline) for project in self._projects]
        return tuple(visible(parts))

    def find(self, key: str, deadline: Deadline) -> Pipeline:
        """A project by id, a job as `project/name` or `project/id`, or by a name that only one
        job of the configured projects has. NOT_FOUND with `known` keys otherwise.
        """
        project, slash, name = key.partition("/")
        if not is_id(project):
            return self._by_name(key, deadline)
        if not slash:
            return self._project(project, deadline)
        job = self.job(project, name, deadline)
        return self._pipeline(project, job, self.of(project, deadline))

    def job(self, project: str, name: str | None, deadline: Deadline) -> JobReply:
        """The only job of that name or id in a project, or without a name its only one;
        NOT_FOUND with `known` otherwise.
        """
        matches = _matching(name, self.of(project, deadline))
        if not matches:
            self._listed.forget(project)  # it may be new
            matches = _matching(name, self.of(project, deadline))
        if len(matches) == 1:
            return matches[0]
        if matches:
            known = tuple(f"{project}/{job.id}" for job in matches)
            raise ProviderError(
                Kind.NOT_FOUND,
                f"Project {project} has {len(matches)} such jobs: name one by its id, "
                f"{_listed(known)}.",
                known=known,
            )
        raise unknown(p.ref.key for p in self._of_project(project, deadline))

    def fresh(self, job: JobReply, deadline: Deadline) -> JobReply:
        """The job with its parameters as they are now."""
        return self._api.one(JobReply, ("job", str(job.id)), deadline)

    def pipeline_of(self, project: str, job: JobReply, deadline: Deadline) -> Pipeline:
        return self._pipeline(project, job, self.of(project, deadline))

    def _by_name(self, name: str, deadline: Deadline) -> Pipeline:
        every = self.pipelines(deadline)
        found = [p for p in every if "/" in p.ref.key and p.title == name]
        if len(found) == 1:
            return found[0]
        raise unknown(p.ref.key for p in found or every)

    def _project(self, project: str, deadline: Deadline) -> Pipeline:
        """No call for a project is known: its jobs, or its launches, prove it."""
        try:
            self.of(project, deadline)
        except ProviderError as error:
            if error.kind not in INVISIBLE:
                raise
            self._prove(project, deadline)
        return self.project_pipeline(project)

    def _prove(self, project: str, deadline: Deadline) -> None:
        try:
            self._launches.page(project, 0, 1, deadline)
        except ProviderError as error:
            if error.kind not in INVISIBLE:
                raise
            problem = error
        else:
            return
        raise ProviderError(
            Kind.NOT_FOUND,
            f"Project {project} is not found, or this token has no access to it.",
            detail=problem.detail,
            known=self._projects,
        )

    def _of_project(self, project: str, deadline: Deadline) -> tuple[Pipeline, ...]:
        jobs = self.of(project, deadline)
        made = (self._pipeline(project, job, jobs) for job in jobs)
        return (self.project_pipeline(project), *made)

    def project_pipeline(self, project: str) -> Pipeline:
        return Pipeline(PipelineRef(self._instance, project), f"project {project}")

    def _pipeline(self, project: str, job: JobReply, among: Sequence[JobReply]) -> Pipeline:
        """Known by its name, or by its id where the name alone would mean several jobs."""
        name = line(job.name) or str(job.id)
        names, ids = f"{project}/{name}", f"{project}/{job.id}"
        is_plain = len([one for one in among if name in {line(one.name), str(one.id)}]) == 1
        key, other = (names, ids) if is_plain else (ids, names)
        aliases = (other,) if other != key else ()
        return Pipeline(PipelineRef(self._instance, key), name, aliases, web_url(job.url))


def unknown(known: Iterable[str]) -> ProviderError:
    keys = tuple(known)
    message = "Allure TestOps has no such job or project, or no access for this token."
    if keys:
        message += f" There are: {_listed(keys)}."
    return ProviderError(Kind.NOT_FOUND, message, known=keys)


def _listed(keys: tuple[str, ...]) -> str:
    most = 10
    return ", ".join(keys[:most]) + (", …" if len(keys) > most else "")


def _matching(name: str | None, jobs: Sequence[JobReply]) -> list[JobReply]:
    """By exact name or by id; if there is none, by name in another case."""
    if name is None:
        return list(jobs)
    exact = [job for job in jobs if name in {line(job.name), str(job.id)}]
    return exact or [job for job in jobs if line(job.name).lower() == name.lower()]
