"""Command lines that are hard to quote, and the values of rules that ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tests.sigma_text import ANY, ONE, Part

SPECIAL = "+-=&|!(){}[]<>^\"~*?:\\/.#@$,;'`%_"
SPACES = " \t\n\r\x0b\x0c\x1c\x85\xa0\u1680\u2003\u2028\u3000\ufeff"
# Pairs that mean something together, in the query string, in its regular expressions or in Sigma.
PAIRS = [
    "&&",
    "||",
    "//",
    "\\\\",
    "\\*",
    "\\?",
    "\\/",
    "/\\",
    '\\"',
    '""',
    "[]",
    "[\\",
    "\\]",
    ".*",
    "..",
    "<>",
    "**",
    "??",
]
WORDS = [
    "a",
    "5",
    "-5",
    "0x1F",
    "1.5",
    "a.b",
    "a_b",
    "AND",
    "or",
    "NOT",
    "TO",
    "x AND y",
    "x or NOT y",
    "(x OR y)",
    "_exists_:x",
    "process.name:x",
    "C:\\",
    "C:\\Windows\\System32\\cmd.exe /c dir",
    "\\\\srv\\share$\\a.exe",
    "/usr/bin/env -S a=b",
    "/x/",
    "x/y OR /z/",
    "<x",
    ">X",
    ">=5",
    "<1-9>",
    ">x y",
    "2>&1",
    "a<b>c",
    "{now-24h TO *}",
    "[a TO b]",
    "[aA]",
    "[^a]",
    "[a-c]+",
    "(a|b)",
    "(?i)a",
    "a{2,3}",
    "^a$",
    "\\d",
    "\\w+\\b",
    "\\u0041",
    "\\x41\\t\\n",
    "a~2",
    "a^2",
    '"a b"~2',
    'say "hi"',
    "it's",
    '{"query":"cert.names: example.com"}',
    "https://crt.sh/?q=%25.example.com&output=json",
    "echo $HOME `id`",
    "%TEMP%\\a.exe",
    "a  b",
    " a ",
    "\ta\t",
    "a\r\nb",
    "a\u3000b",
    "a\u3000AND\u3000b",
    "café À",
    "ünïcode",
    "Привет",
    "日本語",
    "straße",
    "\N{DESERET CAPITAL LETTER LONG I}x",
    "a\N{GRINNING FACE}b",
    "e\N{COMBINING ACUTE ACCENT}",
    "–dump —x ―y",
    "x" * 200,
    "ab" * 120,
    "0123456789" * 8,
    # 1,000 characters as a regular expression, between `.*` and `.*`: the most that a node takes.
    "tls-" * 71 + "12",
]
VALUES: Sequence[str] = list(
    dict.fromkeys(
        [
            *WORDS,
            *SPECIAL,
            *(f"x{special}Y" for special in SPECIAL),
            *(f"x{one}{other}" for one, other in pairwise(SPECIAL)),
            *PAIRS,
            *(f"x{pair}" for pair in PAIRS),
            *(f"x{space}Y" for space in SPACES),
            " ",
            "\t",
            "\u3000",
        ]
    )
)
PADDING = "Pad " * 275


def documents() -> Iterator[tuple[str, str]]:
    """Each value as a command line, alone and with company, in both letter cases, short and padded past every limit."""
    yield "empty", ""
    for number, value in enumerate(VALUES):
        other = "".join(_swapped(letter) for letter in value)
        forms: Mapping[str, str] = {
            "itself": value,
            "swapped": other,
            "before": f"{other}Z",
            "after": f"z{value}",
            "padded before": PADDING + other,
            "padded after": value + PADDING,
            "padded around": f"{PADDING}{value}{PADDING}",
        }
        yield from ((f"{number} {form}", line) for form, line in forms.items())


def asked() -> Iterator[tuple[Sequence[Part], str]]:
    """Each value as rules ask for it: its parts with wildcards, and the modifier."""
    for value in VALUES:
        for modifier in ("", "|contains", "|startswith", "|endswith"):
            yield [value], modifier
        if len(value) > 1:
            middle = len(value) // 2
            yield [value[:1], ANY, value[middle:]], ""
            yield [ANY, value[:middle], ONE, value[middle + 1 :], ANY], ""
            yield [value[:-1], ONE], ""
            yield [value, ANY, ONE], ""


def _swapped(letter: str) -> str:
    return other if len(other := letter.swapcase()) == 1 else letter
