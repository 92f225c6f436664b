"""A vendor's words are not shown where they repeat a secret."""

import pytest

from bot.providers.answers import repeats


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("value hunter2-hunter2 is not allowed", True),
        ("value hunter2-\n hunter2 is not allowed", True),
        ("value &quot;a&amp;b-token&quot; is odd", True),
        ("no such word: passphrase", True),
        ("use four words", False),
        ("1 is not allowed", False),
        ("", False),
    ],
)
def test_whole_secrets_and_long_words_of_them_count(said: str, is_told: bool) -> None:  # noqa: FBT001
    secrets = ("hunter2-hunter2", "a&b-token", "four-word passphrase of words", "1", "")
    assert repeats(said, secrets) is is_told
