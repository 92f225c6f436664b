"""What runs were started with, as providers read it in what vendors answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.providers import TriggerRequest
from bot.domain.runs import Parameters
from bot.providers import allure_replies, env0_replies, testery_replies, wercker_replies
from bot.providers.allure_status import Parts
from bot.providers.allure_words import run_of as run_of_allure
from bot.providers.debci_request import TriggerParameters, trigger_text
from bot.providers.debci_runs import Job
from bot.providers.env0_words import parameters_of_run
from bot.providers.parameters import parameters_of
from bot.providers.testery_words import Home
from bot.providers.testery_words import run_of as run_of_testery
from bot.providers.wercker_words import run_of as run_of_wercker
from tests.unit.test_debci_adapter import NOW, READER, entry
from tests.unit.test_debci_adapter import recorded as debci_jobs

RECORDED = Path(__file__).parents[1] / "recorded"
WERCKER_ID = "577a4dbc3ec144923a02b6f9"
TEXTS = st.text(max_size=150)


def recorded(path: str) -> Any:
    return json.loads((RECORDED / f"{path}.json").read_text())


@given(st.dictionaries(st.text(min_size=1), st.none() | TEXTS | st.integers() | st.lists(TEXTS)))
def test_any_values_become_short_lines(values: dict[str, Any]) -> None:
    told = parameters_of(values)
    assert [name for name, _ in told] == list(values)
    assert all(0 < len(text) <= 100 and "\n" not in text for _, text in told)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"), ("", "none"), (" \n", "none"), ([], "none"), (0, "0"), (2, "2"),
        (False, "false"), (True, "true"), ("a\r\nb", "a b"), (["smoke", "login"], "smoke,login"),
        ("<!here> *x*", "<!here> *x*"), ("x" * 101, "x" * 99 + "…"),
    ],
)  # fmt: skip
def test_values_as_people_would_type_them(value: Any, text: str) -> None:
    assert parameters_of({"name": value}) == (("name", text),)


class TestTestery:
    def told(self, **fields: Any) -> Parameters:
        reply = testery_replies.RunReply.model_validate({"id": 1, "status": "PASS"} | fields)
        return run_of_testery("testery", reply, Home("web"), None).parameters

    def test_the_published_example(self) -> None:
        example = recorded("testery/test-run-get-pass.seed")
        wanted = (("includeTags", "none"), ("copies", "1"), ("buildId", "23"))
        assert self.told(**example) == wanted
        (listed,) = recorded("testery/test-runs-list.seed")
        assert self.told(**listed) == wanted, "a list tells as much"

    def test_the_properties_of_the_alert_rules(self) -> None:
        told = self.told(
            testFilters=["Regex: cart", "Regex: pay"], testSuiteId=7, maxRunners=4, priority=0,
            excludedTags=["slow"], runnerConfigurationId=None, retryFailedTests=True,
            timeoutMinutes=30, testTimeoutSeconds=60, defaultToParallelizeByFile=False,
        )  # fmt: skip
        assert dict(told) == {
            "excludedTags": "slow", "testFilters": "Regex: cart,Regex: pay", "testSuiteId": "7",
            "runners": "4", "runnerConfigurationId": "none", "timeoutMinutes": "30",
            "testTimeoutSeconds": "60", "retryFailedTests": "true", "parallelizeByFile": "false",
            "priority": "0",
        }  # fmt: skip
        assert told[0][0] == "excludedTags", "what selects tests comes first"

    def test_what_is_not_in_the_reply_is_left_out(self) -> None:
        assert self.told() == ()
        assert self.told(variables=[{"key": "A", "value": "canary"}], deployId=7) == ()


class TestDebci:
    def told(self, **fields: Any) -> dict[str, str]:
        return dict(READER.run(Job.model_validate(entry(**fields)), NOW).parameters)

    @pytest.mark.parametrize("version", ["3.6", "3.12"])
    def test_recorded(self, version: str) -> None:
        jobs = debci_jobs(f"{version}/list-finished.json")
        told = {n: dict(READER.run(job, NOW).parameters) for n, job in jobs.items()}
        assert told[1]["version"] == "0.0.0-1~20261121"
        assert told[1]["trigger"] == told[3]["trigger"] == "none", "the bot's own mark is nothing"
        assert told[1].get("pin-packages") == ("none" if version == "3.6" else None)
        assert told[4].get("pin-packages") == ("src:bar,unstable" if version == "3.6" else None)
        assert told[6]["extra-apt-sources"] == "example-extra"
        assert "version" not in told[7], "it was not run"

    def test_a_version_that_is_not_known_is_left_out(self) -> None:
        assert self.told(version="n/a") == self.told(version=None) == self.told() == {}

    def test_pins_are_written_as_they_are_typed(self) -> None:
        pins = [["src:foo", "bar", "unstable"], ["baz", "experimental"]]
        shown = self.told(pin_packages=pins)["pin-packages"]
        assert shown == "src:foo,bar,unstable; baz,experimental"
        typed = TriggerParameters.model_validate({"pin-packages": shown})
        assert [list(group) for group in typed.pin_packages] == pins

    @given(st.from_regex(re.compile(r"[ -~]{0,80}"), fullmatch=True), st.uuids())
    def test_the_mark_of_the_bot_is_taken_away(self, typed: str, mark: object) -> None:
        parameters = TriggerParameters(trigger=typed)
        request = TriggerRequest("a/b/c", parameters, (), str(mark), "U123")
        assert self.told(trigger=trigger_text(parameters, request)) == self.told(
            trigger=parameters.trigger
        )

    @pytest.mark.parametrize("text", ["slack/U1", "slack/U1/abc was wrong", "myslack/U1/abc"])
    def test_a_text_that_is_no_mark_stays(self, text: str) -> None:
        assert self.told(trigger=text)["trigger"] == text


class TestEnv0:
    def told(self, name: str, **fields: Any) -> dict[str, str]:
        reply = recorded(f"env0/module-test-run-{name}") | fields
        return dict(parameters_of_run(env0_replies.RunReply.model_validate(reply)))

    def test_recorded(self) -> None:
        assert self.told("success") == {"triggerName": "user"}
        assert self.told("failure") == {"prNumber": "482", "prTargetBranch": "main"}
        assert self.told("minimal") == {}

    def test_a_revision_is_told_where_branch_and_commit_do_not_say_it(self) -> None:
        assert self.told("failure", blueprintRevision="v2") == {
            "blueprintRevision": "v2", "prNumber": "482", "prTargetBranch": "main",
        }  # fmt: skip
        assert "blueprintRevision" not in self.told("success", blueprintRevision="v2")

    def test_nothing_else_of_the_variables(self) -> None:
        secret = {"oidcToken": "canary", "vcsAccessToken": "canary", "templateName": "canary"}
        assert self.told("minimal", customEnv0EnvironmentVariables=secret) == {}


class TestWercker:
    def told(self, **fields: Any) -> Parameters:
        value = {"id": WERCKER_ID, "pipeline": {"id": WERCKER_ID, "name": "build"}, **fields}
        reply = wercker_replies.RunDetail.model_validate(value)
        return run_of_wercker("wercker", "https://ci.example.org", reply, None).parameters

    def test_the_tag_and_never_a_variable(self) -> None:
        variables = [{"key": "PASSWORD", "value": "canary"}]
        assert self.told(tag="v1.2", envVars=variables) == (("tag", "v1.2"),)
        assert self.told(tag=None, envVars=variables) == self.told() == ()


class TestAllure:
    def told(self, **fields: Any) -> Parameters:
        launch = allure_replies.LaunchReply.model_validate({"id": 9984, **fields})
        parts = Parts((), {}, None, launch.environment or ())
        return run_of_allure("allure", "https://allure.example.org", 37, launch, parts).parameters

    @pytest.mark.parametrize("form", ["launches-page-preview", "launches-page-plain"])
    def test_recorded(self, form: str) -> None:
        """Rich or sparse; the environment (`Browser` among it) is not told."""
        launches = recorded(f"allure-testops/{form}")["content"][:3]
        assert [self.told(**one) for one in launches] == [
            (("tags", "nightly,web"),),
            (("tags", "smoke"),),
            (("tags", "none"),),
        ]

    def test_tags_have_no_order(self) -> None:
        tags = [{"id": 2, "name": "web"}, {"id": 1, "name": "a\nb"}, {"id": 3}, 7]
        assert self.told(tags=tags) == self.told(tags=tags[::-1]) == (("tags", "a b,web"),)

    def test_the_release_is_told_alike_in_both_forms(self) -> None:
        assert self.told(releaseId=5) == self.told(release={"id": 5, "name": "7.2"})
        assert self.told(releaseId=5) == (("releaseId", "5"),)
        assert self.told(release=7, releaseId="x") == self.told() == ()
