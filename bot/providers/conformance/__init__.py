"""The public suite that every provider passes, ours or anybody's.

To be used with pytest:

    from bot.providers.conformance import ProviderConformance, Rig

    class TestAcme(ProviderConformance):
        @pytest.fixture
        def rig(self) -> Iterator[Rig]:
            with FakeAcme() as acme:
                yield Rig(spec=SPEC, url=acme.url, …)

`Rig` says what is to be filled in. The suite puts itself between the provider and the fake
vendor, counts what is sent and answers in every bad way there is. What a vendor cannot do
shows as skipped, with the sentence that people would read. Nothing in the bot imports this.
"""

from collections.abc import Iterator

import pytest

_PARTS = ("addresses", "bench", "changes", "declarations", "meanings", "polls", "replies")
pytest.register_assert_rewrite(
    *(f"{__name__}.{part}" for part in (*_PARTS, "threads", "vocabulary"))
)

from bot.providers.conformance.addresses import Addresses  # noqa: E402  # rewritten first
from bot.providers.conformance.bench import Bench  # noqa: E402
from bot.providers.conformance.changes import Changes  # noqa: E402
from bot.providers.conformance.declarations import Declarations  # noqa: E402
from bot.providers.conformance.front import Front, Received  # noqa: E402
from bot.providers.conformance.polls import Polls  # noqa: E402
from bot.providers.conformance.replies import Replies  # noqa: E402
from bot.providers.conformance.rig import Rig  # noqa: E402
from bot.providers.conformance.threads import Threads  # noqa: E402
from bot.providers.conformance.vocabulary import Vocabulary  # noqa: E402

__all__ = ["ProviderConformance", "Received", "Rig"]


class ProviderConformance(Declarations, Vocabulary, Addresses, Replies, Changes, Polls, Threads):
    """All tests. Subclass it, name the class `Test…` and give it a `rig` fixture."""

    @pytest.fixture
    def rig(self) -> Rig:
        """To be replaced by one that returns, or yields, what is to be tried."""
        pytest.fail("give your test class a fixture `rig` that returns a Rig")

    @pytest.fixture
    def bench(self, rig: Rig, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
        caplog.set_level("DEBUG")
        with Front(rig.url) as front:
            made = Bench(rig, front)
            yield made
            made.check_hidden(caplog.text, "the log")

    @pytest.fixture(autouse=True)
    def _what_cannot_apply(self, request: pytest.FixtureRequest, rig: Rig) -> None:
        name = request.function.__name__
        if name in rig.skips:
            pytest.skip(rig.skips[name])

    def test_skips_name_tests_that_exist_and_give_reasons(self, rig: Rig) -> None:
        unknown = [name for name in rig.skips if not hasattr(self, name)]
        assert not unknown
        assert all(len(reason.split()) >= 3 for reason in rig.skips.values())
