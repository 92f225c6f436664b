"""Reading the text: what Slack and phones make of it, quotes, kinds of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.words import Kind, Word, join_options, split


def texts(text: str) -> list[str]:
    return [word.text for word in split(text).words]


def only(text: str) -> Word:
    (word,) = join_options(split(text).words)
    return word


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a &lt;b&gt; c&amp;d", ["a", "<b>", "c&d"]),
        ("a&amp;lt;b", ["a&lt;b"]),
        ("\u201cnew image\u201d", ["new image"]),
        ("\u2018new image\u2019", ["new image"]),
        ("\u201enew image\u201c", ["new image"]),
        ("a\u00a0b\u2009c\u202fd\te\nf", ["a", "b", "c", "d", "e", "f"]),
        ("a\u200bb \ufeffc \u202ed", ["ab", "c", "d"]),
        ("a\x00b\x07c", ["abc"]),
        ("`wercker:577a` `a b`", ["wercker:577a", "a", "b"]),
        ("```nightly```", ["nightly"]),
        ("don't it\u2019s runs' 'x y'", ["don't", "it's", "runs'", "x y"]),
        (r'"say \"hi\" \\ \d"', [r'say "hi" \ \d']),
        (r"C:\dir\x \y", [r"C:\dir\x", r"\y"]),
        (r"'a\b'", [r"a\b"]),
        ('a"b c"d', ["ab cd"]),
        ('"" x', ["", "x"]),
        ("\u2014", ["\u2014"]),
        ("wait \u2014 5\u20136", ["wait", "\u2014", "5\u20136"]),
        ("<https://ci.example/a?b=c&amp;d|ci.example/a>", ["https://ci.example/a?b=c&d"]),
        ("<https://ci.example/a>", ["https://ci.example/a"]),
        ("<http://deploy.sh|deploy.sh>", ["deploy.sh"]),
        ("<mailto:sam@example.org|sam@example.org>", ["sam@example.org"]),
        ("<#C012|general>", ["#general"]),
        ("<#C012>", ["#C012"]),
        ("<!date^1^x|May 1>", ["May 1"]),
        ("< a > <", ["<", "a", ">", "<"]),
        ("", []),
        ("   ", []),
    ],
)
def test_undoes_what_slack_and_phones_do(typed: str, read: list[str]) -> None:
    found = split(typed)
    assert found.problem is None
    assert [word.text for word in found.words] == read


@pytest.mark.parametrize(
    ("typed", "kind", "key", "value", "is_quoted"),
    [
        ("branch=main", Kind.PAIR, "branch", "main", False),
        ("env.A=b=c", Kind.PAIR, "env.A", "b=c", False),
        ('message="new image"', Kind.PAIR, "message", "new image", True),
        ("message=\u201cnew image\u201d", Kind.PAIR, "message", "new image", True),
        ('tags="a b","c"', Kind.PAIR, "tags", "a b,c", True),
        ("x=", Kind.PAIR, "x", "", False),
        ("x=`y`", Kind.PAIR, "x", "y", False),
        ('`x="y z"`', Kind.PAIR, "x", "y z", True),
        ("url=https://a.b/?c=d", Kind.PAIR, "url", "https://a.b/?c=d", False),
        ("status!=passed", Kind.NOT_PAIR, "status", "passed", False),
        ("--branch=main", Kind.PAIR, "branch", "main", False),
        ("--branch main", Kind.PAIR, "branch", "main", False),
        ("\u2014branch main", Kind.PAIR, "branch", "main", False),
        ("\u2013branch=main", Kind.PAIR, "branch", "main", False),
        ('--message "new image"', Kind.PAIR, "message", "new image", True),
        ("--branch", Kind.FLAG, "branch", "", False),
        ("wercker:577a4dbc", Kind.QUALIFIED, "wercker", "577a4dbc", False),
        ("Wercker:acme/shop/build", Kind.QUALIFIED, "wercker", "acme/shop/build", False),
        ('testery:"my tests"/dev', Kind.QUALIFIED, "testery", "my tests/dev", False),
        ('"testery:my tests"', Kind.QUALIFIED, "testery", "my tests", True),
        ("#3", Kind.NUMBER, "", "", False),
        ("#x", Kind.BARE, "", "", False),
        ("https://a.b/c?d=e", Kind.URL, "", "", False),
        ('"a=b"', Kind.BARE, "", "", True),
        ('"--dry"', Kind.BARE, "", "", True),
        ("=b", Kind.BARE, "", "", False),
        ("a/b=c", Kind.BARE, "", "", False),
        ("--", Kind.BARE, "", "", False),
    ],
)
def test_a_word_knows_its_kind(
    typed: str,
    kind: Kind,
    key: str,
    value: str,
    is_quoted: bool,  # noqa: FBT001
) -> None:
    word = only(typed)
    assert (word.kind, word.key, word.value, word.is_quoted) == (kind, key, value, is_quoted)


def test_known_switches_take_no_value() -> None:
    words = join_options(split("--dry main --share --help --failed --all").words)
    assert [w.text for w in words] == ["dry", "main", "share", "help", "failed", "all"]
    assert all(word.kind is Kind.BARE for word in words)


def test_an_option_before_another_pair_stays_without_a_value() -> None:
    words = join_options(split("--branch env.A=1").words)
    assert [word.kind for word in words] == [Kind.FLAG, Kind.PAIR]


@pytest.mark.parametrize(
    ("typed", "mention"),
    [
        ("<@U012|sam>", "U012"),
        ("<@U012>", "U012"),
        ("mention=<@U012|sam>", "U012"),
        ("mention=<!subteam^S012|@qa>", "S012"),
        ("<!here>", "here"),
        ("<!channel|channel>", "channel"),
        ("reason=<@U012|sam>s", None),
        ("@sam", None),
    ],
)
def test_a_mention_keeps_its_id(typed: str, mention: str | None) -> None:
    assert only(typed).mention == mention


def test_a_mention_inside_a_text_reads_as_the_name() -> None:
    assert only('message="for <@U012|sam>"').value == "for @sam"


@pytest.mark.parametrize(
    ("typed", "where", "before"),
    [
        ('nightly message="abc', "behind message= (character 17)", ["nightly", "message=abc"]),
        ("nightly 'abc def", "(character 9)", ["nightly", "abc def"]),
        ('"', "(character 1)", [""]),
    ],
)
def test_an_open_quote_is_an_error_that_shows_where(
    typed: str, where: str, before: list[str]
) -> None:
    found = split(typed)
    assert found.problem is not None
    assert where in found.problem.message
    assert "abc" not in found.problem.message
    assert [word.text for word in found.words] == before


@given(st.text())
def test_never_raises_and_leaves_no_control_characters(text: str) -> None:
    for word in join_options(split(text).words):
        assert not any(ord(c) < 32 and c not in "\n\t" for c in word.text)
        word.text.encode()


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])).filter(bool)))
def test_quoted_words_come_back_as_they_are(words: list[str]) -> None:
    plain = [
        w
        for w in words
        if not any(c in "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b" for c in w)
    ]
    quoted = []
    for word in plain:
        slashed = word.replace("\\", "\\\\").replace('"', '\\"')
        quoted.append(slashed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    assert texts(" ".join(f'"{word}"' for word in quoted)) == plain
