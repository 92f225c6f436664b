"""The grammar: every worked example, every synonym, every error with its four parts."""

# ruff: noqa: E501
# Tables read best with one case a line.

import time
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.durations import parse_duration
from bot.domain.intents import (
    AbortRun,
    AddWatch,
    ExplainRun,
    Help,
    Intent,
    ListPipelines,
    ListProviders,
    ListRuns,
    ListWatches,
    MuteWatch,
    OpenTriggerForm,
    RemoveWatch,
    ResumeWatches,
    RetryRun,
    RunById,
    RunByNumber,
    RunByPipeline,
    RunByUrl,
    RunOfThread,
    ShowHistory,
    ShowRun,
    TriggerRun,
    UnmuteWatch,
)
from bot.domain.providers import Variable
from bot.domain.watches import Filter, Preset, ThreadMode
from bot.slack.grammar import Reading, is_mutation, read, read_offer, read_sentence

LONG_ID = "577a4dbc3ec144923a02b6f9"
VERBS = ("runs", "trigger", "abort", "retry", "watch")
pieces = st.sampled_from(
    [
        *(
            [
                "runs",
                "failing",
                "history",
                "pipelines",
                "log",
                "tests",
                "last",
                "nightly",
                "testery:nightly",
                "#1",
                "#0",
            ]
        ),
        *(
            [
                "branch=main",
                "status!=x",
                "since=2h",
                "env.A=hidden",
                "--env.B",
                "on=all",
                "off",
                "why",
                "mute",
                "2h",
                "dry",
            ]
        ),
        *(
            [
                '"',
                "'",
                "=",
                "--dry",
                "<@U1|sam>",
                "&amp;",
                "—x",
                "“",
                "nightly@last",
                "https://a.b/c",
                "reason=",
            ]
        ),
    ]
)
commands = st.one_of(st.text(max_size=60), st.lists(pieces, max_size=8).map(" ".join))


def one(text: str) -> Filter:
    key, _, values = text.partition("=")
    return Filter(key.rstrip("!"), tuple(values.split(",")), key.endswith("!"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "intent"),
    [
        ("runs", ListRuns()),
        (
            "runs failing provider=testery,debci branch=main since=24h",
            ListRuns(
                "failing", (one("provider=testery,debci"), one("branch=main"), one("since=24h"))
            ),
        ),
        (f"runs wercker:{LONG_ID}", ShowRun(RunById("wercker", LONG_ID))),
        (
            'runs #2 log "setup environment" 80',
            ShowRun(RunByNumber(2), "log", "setup environment", 80),
        ),
        ("runs history testery:nightly", ShowHistory("testery:nightly")),
        (
            "trigger testery:checkout-e2e/staging main includeTags=smoke,login",
            TriggerRun("testery:checkout-e2e/staging", "main", (("includeTags", "smoke,login"),)),
        ),
        (
            'trigger wercker:acme/shop/build branch=master message="new image" env.IMAGE=2.1 dry',
            TriggerRun(
                "wercker:acme/shop/build",
                None,
                (("branch", "master"), ("message", "new image")),
                (Variable("IMAGE", "2.1"),),
                is_dry=True,
            ),
        ),
        (
            "trigger debci:unstable/amd64/ruby-defaults",
            TriggerRun("debci:unstable/amd64/ruby-defaults"),
        ),
        ("trigger", OpenTriggerForm()),
        ("abort #1 wrong branch", AbortRun(RunByNumber(1), "wrong branch")),
        ("abort debci:12345", AbortRun(RunById("debci", "12345"))),
        ("retry allure:1234 failed", RetryRun(RunById("allure", "1234"), "failed")),
        ("watch testery:nightly branch=main", AddWatch("testery:nightly", (one("branch=main"),))),
        ("watch why testery:55676", ExplainRun(RunById("testery", "55676"))),
        ("<@U0BOT> retry", RetryRun(RunOfThread())),
    ],
)
def test_worked_examples(typed: str, intent: Intent) -> None:
    reading = read_sentence(typed)
    assert reading.problem is None
    assert reading.intent == intent
    if not typed.startswith("<"):
        verb, _, rest = typed.partition(" ")
        assert read(verb, rest) == reading  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "intent"),
    [
        ("runs mine share", ListRuns("mine", (), is_shared=True)),
        ("runs Failing", ListRuns("failing")),
        ("runs running --share", ListRuns("running", is_shared=True)),
        ("runs provider=Testery failing", ListRuns("failing", (one("provider=testery"),))),
        ("runs wercker:acme/shop/build", ListRuns("all", (one("pipeline=wercker:acme/shop/build"),))),
        ("runs acme/shop/build", ListRuns("all", (one("pipeline=acme/shop/build"),))),
        ("runs testery:n*", ListRuns("all", (one("pipeline=testery:n*"),))),
        ('runs "testery:my tests"', ListRuns("all", (one("pipeline=testery:my tests"),))),
        ("runs by=<@U1|sam>", ListRuns("all", (one("by=sam"),))),
        ('runs branch="a,b"', ListRuns("all", (Filter("branch", ("a,b",)),))),
        ("runs branch=main branch!=m*", ListRuns("all", (one("branch=main"), one("branch!=m*")))),
        ("runs status=f*", ListRuns("all", (one("status=f*"),))),
        ("runs since=1H30m", ListRuns("all", (one("since=1h30m"),))),
        ("runs Wercker:577a", ShowRun(RunById("wercker", "577a"))),
        ("runs 55676", ShowRun(RunById(None, "55676"))),
        ("runs #3", ShowRun(RunByNumber(3))),
        ("runs <https://ci.example/runs/1|x>", ShowRun(RunByUrl("https://ci.example/runs/1"))),
        ("runs nightly@last", ShowRun(RunByPipeline("nightly", "last"))),
        ("runs Testery:n/s@last-failed", ShowRun(RunByPipeline("testery:n/s", "last-failed"))),
        ("runs n@last-green tests", ShowRun(RunByPipeline("n", "last-green"), "tests")),
        ("runs #1 steps share", ShowRun(RunByNumber(1), "steps", is_shared=True)),
        ("runs #1 params", ShowRun(RunByNumber(1), "params")),
        ("runs #1 log", ShowRun(RunByNumber(1), "log")),
        ("runs #1 log 80", ShowRun(RunByNumber(1), "log", None, 80)),
        ('runs #1 log "80"', ShowRun(RunByNumber(1), "log", "80")),
        ("runs #1 log deploy", ShowRun(RunByNumber(1), "log", "deploy")),
        ("runs log", ShowRun(RunOfThread(), "log")),
        ("runs pipelines", ListPipelines()),
        ("runs pipelines testery:n* share", ListPipelines("testery:n*", is_shared=True)),
        ("runs providers", ListProviders()),
        ("runs help", Help("runs")),
        ("runs --help", Help("runs")),
        ("trigger nightly 12", TriggerRun("nightly", "12")),
        ("trigger Testery:Nightly", TriggerRun("testery:Nightly")),
        ('trigger nightly "dry"', TriggerRun("nightly", "dry")),
        ("trigger nightly --dry-run", TriggerRun("nightly", is_dry=True)),
        ("trigger nightly reason=hotfix", TriggerRun("nightly", reason="hotfix")),
        ('trigger nightly --reason "a b"', TriggerRun("nightly", reason="a b")),
        ("trigger nightly branch=", TriggerRun("nightly")),
        ("trigger nightly Env.A= env.a=2", TriggerRun("nightly", variables=(Variable("A", ""), Variable("a", "2")))),
        ("trigger nightly b=1 a=2", TriggerRun("nightly", None, (("b", "1"), ("a", "2")))),
        ("trigger help", Help("trigger")),
        ("abort", AbortRun(RunOfThread())),
        ("abort reason=\u201cwrong branch\u201d", AbortRun(RunOfThread(), "wrong branch")),
        ("abort n@last don\u2019t want it", AbortRun(RunByPipeline("n", "last"), "don't want it")),
        ("abort 55676 a=1 see #2", AbortRun(RunById(None, "55676"), "a=1 see #2")),
        ("abort #1 not dry enough", AbortRun(RunByNumber(1), "not dry enough")),
        ("abort #1 password=hunter2", AbortRun(RunByNumber(1), "password=\u2022\u2022\u2022")),
        ("abort help", Help("abort")),
        ("retry", RetryRun(RunOfThread())),
        ("retry failed", RetryRun(RunOfThread(), "failed")),
        ("retry all #1", RetryRun(RunByNumber(1))),
        ("retry #1 failed branch=x env.A=b reason=y dry", RetryRun(RunByNumber(1), "failed", (("branch", "x"),), (Variable("A", "b"),), "y", is_dry=True)),
        ("watch", ListWatches()),
        ("watch list", ListWatches()),
        ("watch help", Help("watch")),
        ("watch *", AddWatch("*")),
        ("watch nightly on=failures", AddWatch("nightly", preset=Preset.FAILURES)),
        ("watch nightly on=All thread=off", AddWatch("nightly", preset=Preset.ALL, thread=ThreadMode.OFF)),
        ("watch nightly thread=broadcast", AddWatch("nightly", thread=ThreadMode.BROADCAST)),
        ("watch nightly mention=<@U012|sam>", AddWatch("nightly", mention="U012")),
        ("watch nightly mention=<!subteam^S012>", AddWatch("nightly", mention="S012")),
        ("watch nightly mention=@here", AddWatch("nightly", mention="here")),
        ("watch testery:checkout-*/staging br!=x", AddWatch("testery:checkout-*/staging", (one("branch!=x"),))),
        ("watch off 2", RemoveWatch("2")),
        ("watch off #2", RemoveWatch("2")),
        ("watch off testery:nightly", RemoveWatch("testery:nightly")),
        ("watch off *", RemoveWatch("*")),
        ("watch why", ExplainRun(RunOfThread())),
        ("watch mute nightly 2h", MuteWatch("nightly", timedelta(hours=2))),
        ("watch mute nightly for 1d flaky test", MuteWatch("nightly", timedelta(days=1), "flaky test")),
        ("watch unmute nightly", UnmuteWatch("nightly")),
        ("watch resume", ResumeWatches()),
        ("", Help("runs")),
        ("help", Help("runs")),
        ("help watch", Help("watch")),
        ("<@U0BOT>", Help("runs")),
        ("<@U0BOT>: Runs Failing", ListRuns("failing")),
        ("/runs mine", ListRuns("mine")),
    ],
)  # fmt: skip
def test_forms(typed: str, intent: Intent) -> None:
    reading = read_sentence(typed)
    assert reading.problem is None
    assert reading.intent == intent


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("branch ref br", "branch"),
        ("status state result", "status"),
        ("by author user who", "by"),
        ("env environment", "env"),
        ("limit n max", "limit"),
    ],
)
def test_synonyms_of_filters(words: str, key: str) -> None:
    value = {"status": "failed", "limit": "5"}.get(key, "x")
    for word in words.split():
        assert read("runs", f"{word.upper()}={value}").intent == ListRuns(
            "all", (one(f"{key}={value}"),)
        )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("passed pass green ok", "passed"),
        ("failed fail red", "failed"),
        ("aborted cancelled canceled", "aborted"),
        ("running active", "running"),
        ("queued pending", "queued"),
        ("error infra tmpfail", "error"),
        ("waiting", "waiting"),
        ("skipped", "skipped"),
        ("unknown", "unknown"),
    ],
)
def test_synonyms_of_statuses(words: str, status: str) -> None:
    for word in words.split():
        wanted = ListRuns("all", (one(f"status={status}"),))
        assert read("runs", f"status={word}").intent == wanted
        assert read("runs", f"state={word.title()},{word}").intent == wanted


@pytest.mark.parametrize(
    ("typed", "says", "maybe"),
    [
        ("runs faling", '"faling"', "/runs failing"),
        ("runs piplines n*", '"piplines"', "/runs pipelines n*"),
        ("runs nightly", "view", "/runs pipeline=nightly"),
        ("runs brnch=main", "Possible are branch, status", "/runs branch=main"),
        ("runs brnch!=main failing", '"brnch"', "/runs branch!=main failing"),
        ("runs status=faild,red", "Possible are queued, running", "/runs status=failed,red"),
        ("runs since=24", "45m, 2h or 1d", "/runs since=24h"),
        ("runs since=2hours x=1", "45m, 2h or 1d", "/runs since=2h x=1"),
        ("runs since!=2h", "turned round", None),
        ("runs limit=99", "from 1 to 50", "/runs limit=50"),
        ("runs limit=x", "from 1 to 50", "/runs limit=10"),
        ("runs branch=a branch=b", "given twice", "/runs branch=a,b"),
        ("runs branch=", "needs a value", None),
        ("runs failing running", "one word too many", "/runs failing"),
        ("runs #0", "from #1", None),
        ("runs #1 tets", "tests, steps, log, params", "/runs #1 tests"),
        ("runs #1 log 0", "1 to 500", "/runs #1 log 40"),
        ("runs #1 log 5000", "1 to 500", "/runs #1 log 500"),
        ("runs #1 log setup environment 80", "quotes", '/runs #1 log "setup environment" 80'),
        ("runs #1 branch=main", "one run", "/runs #1"),
        ("runs testery:nightly failing", "part", "/runs failing pipeline=testery:nightly"),
        ("runs nightly@lst", "last-failed", "/runs nightly@last"),
        ("runs testery:", "nothing behind", None),
        ("runs history", "which pipeline", None),
        ("runs history n@last", "is a run", "/runs history n"),
        ("trigger nightly main dev", "second bare word", "/trigger nightly main"),
        ("trigger nightly a=1 a=2", "a is given twice", "/trigger nightly a=1"),
        ("trigger nightly env.A=1 Env.A=2", "given twice", "/trigger nightly env.A=\u2022\u2022\u2022"),
        ("trigger nightly branch!=main", "for filters", "/trigger nightly branch=main"),
        ("trigger nightly --branch", "needs a value", None),
        ("trigger nightly dry=yes", "no value", "/trigger nightly dry"),
        ("trigger nightly branch = main", "without spaces", None),
        ("trigger nightly env.=1", "variable", None),
        ("trigger branch=main", "which pipeline", None),
        ("trigger #3", "is a run", "/retry #3"),
        ("trigger nightly@last x", "is a run", "/retry nightly@last"),
        ("abort wrong branch", "not a run", '/abort reason="wrong branch"'),
        ("abort #1 dry", "no dry run", None),
        ("abort #1 --dry please", "no dry run", None),
        ("abort wercker:a/b/c", "not a run", "/abort wercker:a/b/c@last"),
        ("retry #1 failed all", "not both", "/retry #1 failed"),
        ("retry #1 main", "one word too many", "/retry #1"),
        ("watch nightly since=2h", "Possible are branch", None),
        ("watch nightly on=change", "changes, failures or all", "/watch nightly on=changes"),
        ("watch nightly thread=quite", "quiet, broadcast or off", "/watch nightly thread=quiet"),
        ("watch nightly mention=sam", "nobody I know", None),
        ("watch nightly on=all on=all", "on is given twice", "/watch nightly on=all"),
        ("watch nightly off", "before the pipeline", "/watch off nightly"),
        ("watch lisst", "looks like list", "/watch list"),
        ("watch nightly main", "one word too many", "/watch nightly branch=main"),
        ("watch mute nightly", "how long", "/watch mute nightly 2h"),
        ("watch mute nightly 30 x", "45m, 2h or 1d", "/watch mute nightly 30m x"),
        ("watch mute nightly 400d", "90 days", "/watch mute nightly 90d"),
        ("watch off", "off what", "/watch list"),
        ("rns failing", "not a command", "/runs failing"),
        ("stop #1", "not a command", "/abort #1"),
        ("failing", "not a command", "/runs failing"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong_and_offer_full_commands(
    typed: str, says: str, maybe: str | None
) -> None:
    reading = read_sentence(typed)
    assert reading.intent is None
    assert reading.problem is not None
    assert says in reading.problem.message
    assert reading.problem.help_command.startswith("/")
    assert (maybe in reading.problem.maybe) if maybe else reading.problem.maybe == ()


@pytest.mark.parametrize(
    ("typed", "echo"),
    [
        ("trigger n env.TOKEN=hidden", "/trigger n env.TOKEN=\u2022\u2022\u2022"),
        ("trigger n --env.TOKEN hidden", "/trigger n env.TOKEN=\u2022\u2022\u2022"),
        ("trigger n ENV.x=\u201chid den\u201d", "/trigger n ENV.x=\u2022\u2022\u2022"),
        ("trigger n apiKey=hidden", "/trigger n apiKey=\u2022\u2022\u2022"),
        ("trigger n env.A = hidden", "/trigger n env.A = \u2022\u2022\u2022"),
        ("trigger n env.A =hidden", "/trigger n env.A \u2022\u2022\u2022"),
        ("trigger n env.A= hidden", "/trigger n env.A=\u2022\u2022\u2022 \u2022\u2022\u2022"),
        ("trigger n password = hidden", "/trigger n password = \u2022\u2022\u2022"),
        ("trigger n env.A:hidden", "/trigger n env.A:\u2022\u2022\u2022"),
        ('trigger n "env.A=hid den"', '/trigger n "env.A=\u2022\u2022\u2022"'),
        ('trigger n message="see env.A=hidden"', '/trigger n message="see env.A=\u2022\u2022\u2022"'),
        ('trigger n env.A="hidden', '/trigger n env.A="\u2026'),
        ('trigger n message="x env.A=hidden', '/trigger n message="\u2026'),
        ("nonsense env.A=hidden", "nonsense env.A=\u2022\u2022\u2022"),
        ("abort #1 token:hidden", "/abort #1 token:\u2022\u2022\u2022"),
        ("trigger testery:token-service main", "/trigger testery:token-service main"),
        ("runs author=sam", "/runs author=sam"),
    ],
)  # fmt: skip
def test_the_echo_masks_what_may_be_secret(typed: str, echo: str) -> None:
    reading = read_sentence(typed)
    assert reading.echo == echo
    assert "hidden" not in _said(reading)


def _said(reading: Reading) -> str:
    problem = reading.problem
    return "\n".join(
        (reading.echo, problem.message, *problem.maybe) if problem else (reading.echo,)
    )


@given(
    st.sampled_from(VERBS),
    st.sampled_from(
        [
            "env.{}={}",
            "--env.{} {}",
            "env.{} = {}",
            'env.{}="{}',
            "x env.{}:{}",
            "env.{}: {}",
            "env.{} {}",
            "env.{}={},b",
            "x-env.{}={}",
        ]
    ),
    st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
    commands,
    commands,
)
def test_an_environment_value_is_never_repeated(
    verb: str, form: str, name: str, before: str, after: str
) -> None:
    balanced = before.translate(
        {ord(c): None for c in "\"'`\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b"}
    )
    text = f"{balanced} {form.format(name, 'canary7431')} {after}"
    reading = read(verb, text)  # type: ignore[arg-type]
    assert "canary7431" not in _said(reading)
    assert "canary7431" not in _said(read_sentence(text))
    assert "canary7431" not in getattr(reading.intent, "reason", "")


@given(st.sampled_from(VERBS), commands)
@example("runs", "")
@example("trigger", '"')
def test_reading_never_raises_and_always_decides(verb: str, text: str) -> None:
    for reading in (read(verb, text), read_sentence(text)):  # type: ignore[arg-type]
        assert (reading.intent is None) is (reading.problem is not None)
        assert len(reading.echo) < 1100
        assert not isinstance(reading.intent, TriggerRun) or reading.intent.pipeline


@given(st.sampled_from(VERBS), commands)
def test_an_echo_reads_as_the_command_it_repeats(verb: str, text: str) -> None:
    reading = read(verb, text)  # type: ignore[arg-type]
    if reading.intent is None or "\u2022" in reading.echo or "\u2026" in reading.echo:
        return
    again = read_offer(reading.echo)
    assert again.intent == reading.intent
    assert again.echo == reading.echo


@given(st.sampled_from(VERBS), commands)
def test_a_correction_is_never_the_command_itself(verb: str, text: str) -> None:
    reading = read(verb, text)  # type: ignore[arg-type]
    for maybe in reading.problem.maybe if reading.problem else ():
        assert maybe.startswith("/")
        assert maybe != reading.echo


@given(st.text(max_size=20))
def test_since_is_always_a_duration(text: str) -> None:
    intent = read("runs", f"since={text}").intent
    if isinstance(intent, ListRuns):
        for found in intent.filters:
            assert found.key != "since" or parse_duration(found.values[0])


@pytest.mark.parametrize(
    "unit",
    [
        "x ", "a=b ", '"', "<", "<@U1", "&amp;", "`", "=", "--a ", "'a' ", "\\", "\u2014", "e",
        "env.", "token", "[", "*", "#1 ", "a@", "1", "-----BEGIN ", "a:", "\u202e", ",", "a!", "!=",
    ],
)  # fmt: skip
def test_long_input_takes_linear_time(unit: str) -> None:
    text = unit * (30_000 // len(unit))
    started = time.process_time()
    for verb in VERBS:
        read(verb, text)  # type: ignore[arg-type]
        read(verb, f"n status={text}")  # type: ignore[arg-type]
    assert time.process_time() - started < 6


def test_what_changes_something_is_a_mutation() -> None:
    for text in (
        "trigger n",
        "abort #1",
        "retry #1",
        "watch n",
        "watch off 1",
        "watch unmute n",
        "watch resume",
    ):
        intent = read_sentence(text).intent
        assert intent is not None
        assert is_mutation(intent)
    for text in ("trigger n dry", "retry #1 dry", "runs", "watch", "watch why #1", "abort help"):
        intent = read_sentence(text).intent
        assert intent is not None
        assert not is_mutation(intent)
