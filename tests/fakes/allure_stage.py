"""An Allure TestOps stand-in on a socket, with a project, two jobs and a logged-in client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import requests

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.allure import AllureStandin

TOKEN = "sample-api-token"
FORM = {"grant_type": "apitoken", "scope": "openid", "token": TOKEN}


class AllureStage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.allure = AllureStandin(self.clock, TOKEN)
        self.project = self.allure.add_project("Acme shop")
        parameters = ("chrome", "staging")
        self.web = self.allure.add_job(self.project, "web-regression", parameters=parameters)
        self.api = self.allure.add_job(self.project, "payments-api", "jenkins")
        self.server = Server(self.allure.app)
        self.token = ""

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        made = cls()
        with made.server:
            made.token = made.exchange().json()["access_token"]
            yield made

    def exchange(self, **form: str) -> requests.Response:
        url = f"{self.server.url}/api/uaa/oauth/token"
        return requests.post(url, data=FORM | form, timeout=5)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.server.url + path, headers=headers, timeout=5, **more)

    def get(self, path: str) -> Any:
        reply = self.send("GET", f"/api{path}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.send("POST", f"/api{path}", json=body)

    def counts(self, launch_id: int) -> dict[str, int]:
        rows = self.get(f"/launch/{launch_id}/statistic")
        return {row["status"]: row["count"] for row in rows}

    def job_states(self, launch_id: int) -> list[tuple[str, str | None]]:
        rows = self.get(f"/launch/{launch_id}/job")
        return [(row["stage"], row.get("status")) for row in rows]

    def is_closed(self, launch_id: int) -> bool:
        return bool(self.get(f"/launch/{launch_id}")["closed"])
