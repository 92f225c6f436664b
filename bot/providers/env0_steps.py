"""Steps and logs of env0 runs, which go by the id of the deployment."""

from collections.abc import Sequence

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Log, Step
from bot.net import clean_text
from bot.providers.answers import readable
from bot.providers.env0_api import Env0Api
from bot.providers.env0_replies import LogEvent, LogPage, RunReply, StepReply
from bot.providers.env0_runs import Runs
from bot.providers.env0_words import has_begun, in_order, is_bad, status_of, step_of
from bot.providers.failing import failing

_LOG_PAGES = 60
_LOG_CHARACTERS = 200_000


class Steps:
    """Thread-safe; nothing is remembered."""

    def __init__(self, api: Env0Api, runs: Runs) -> None:
        self._api, self._runs = api, runs

    def of(self, reply: RunReply, deadline: Deadline) -> tuple[Step, ...]:
        """In order of execution. The error of a run stands with its first failed step."""
        steps = self._read(reply.deployment_log_id, deadline)
        bad = next((step for step in steps if is_bad(step)), None)
        why = self._why(reply, deadline) if bad is not None else ""
        return tuple(step_of(step, why if step is bad else "") for step in steps)

    def failing(self, deployment_log_id: str, deadline: Deadline) -> tuple[str, ...]:
        """The first step that failed; those after it are not begun. One request."""
        bad = (step.label for step in self._read(deployment_log_id, deadline) if is_bad(step))
        return failing([next(bad, None)])

    def log(self, reply: RunReply, wanted: str | None, deadline: Deadline) -> Log:
        """The end of a step's log, 200,000 characters at most; the log is read from its
        beginning, 60 pages at most.
        """
        step = _chosen(self._read(reply.deployment_log_id, deadline), wanted)
        pages = _Pages()
        for _ in range(_LOG_PAGES):
            try:
                page = self._page(reply.deployment_log_id, step.name, pages.start, deadline)
            except ProviderError:
                if pages.start is None:
                    raise
                break  # what was read is worth more than nothing
            if not pages.add(page):
                return pages.log(step.label)
        return pages.log(step.label, "[the log goes on in env0]")

    def _read(self, deployment_log_id: str, deadline: Deadline) -> list[StepReply]:
        """Steps that cannot be read are left out."""
        path = ("deployments", deployment_log_id, "steps")
        return in_order(list(self._api.items(StepReply, path, deadline).items))

    def _page(
        self, deployment_log_id: str, name: str, start: str | None, deadline: Deadline
    ) -> LogPage:
        path = ("deployments", deployment_log_id, "steps", name, "log")
        query = [] if start is None else [("startTime", start)]
        return self._api.one(LogPage, path, deadline, query)

    def _why(self, reply: RunReply, deadline: Deadline) -> str:
        """The run's error; of a time-out, what the deployment tells of its reason."""
        if reply.word != "TIMEOUT" or not status_of(reply.status).is_failure:
            return reply.error or ""
        try:
            deployment = self._runs.deployment(reply.deployment_log_id, deadline)
        except ProviderError:
            return reply.error or ""
        said = (deployment.stopped_by_timeout_reason, reply.error or deployment.error)
        return "; ".join(text for text in said if text)


class _Pages:
    """The messages of a log so far, each once: pages may overlap by the same moment."""

    def __init__(self) -> None:
        self.start: str | None = None
        self._messages: list[str] = []
        self._seen: set[str] = set()

    def add(self, page: LogPage) -> bool:
        """Whether there is another page to ask for."""
        events = (readable(LogEvent, item) for item in page.events)
        for event in events:
            if event is None or (event.event_id and event.event_id in self._seen):
                continue
            self._seen.add(event.event_id or "")
            self._messages.append(clean_text(event.message))
        is_new = page.next_start_time not in {None, self.start}
        self.start = page.next_start_time
        return bool(page.has_more_logs) and is_new

    def log(self, title: str, more: str = "") -> Log:
        text = "\n".join([*self._messages, *([more] if more else [])])
        is_cut = len(text) > _LOG_CHARACTERS
        return Log(title, text[-_LOG_CHARACTERS:], is_cut=is_cut or bool(more))


def _chosen(steps: Sequence[StepReply], wanted: str | None) -> StepReply:
    """By name, id or number; without a wish the first failed step, else the last one begun."""
    if wanted is None:
        begun = [step for step in steps if has_begun(step)]
        found = next((step for step in steps if is_bad(step)), begun[-1] if begun else None)
    else:
        found = next((s for n, s in enumerate(steps, 1) if _is_meant(s, n, wanted)), None)
    if found is None:
        message = "The run has no such step." if steps and wanted else "No step has begun yet."
        raise ProviderError(Kind.NOT_FOUND, message, known=tuple(step.name for step in steps))
    if not has_begun(found):
        raise ProviderError(Kind.NOT_FOUND, f"Step {found.label} has no log: it did not begin.")
    return found


def _is_meant(step: StepReply, number: int, wanted: str) -> bool:
    names = {name.casefold() for name in (step.name, step.display_name, step.id) if name}
    return wanted.casefold() in names or wanted == str(number)
