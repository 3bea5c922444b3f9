"""What a Sigma string value means, read by hand: the reference that the property tests hold every target to.

Specification 2.1: `*` is any run of characters, `?` exactly one; a backslash escapes these and itself, nothing else;
letter case does not matter. A condition matches the whole value, and the modifiers put wildcards at its ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

ANY, ONE = object(), object()
Part = str | object

# Characters that some quoting of some target treats apart, and a few that none does. Letters are ASCII: beyond it the
# engines' folding of case differs.
ALPHABET = "aAbB19 _-+=&|!(){}[]<>^\"'~:\\/*?.,;@#$%`\t"
TEXT = st.text(ALPHABET, min_size=1, max_size=6) | st.sampled_from(
    [
        "AND",
        "or",
        "NOT",
        "TO",
        "&&",
        "||",
        "<a",
        ">",
        "C:\\Windows\\",
        "\\\\",
        '"',
        "a b",
        "/x/",
        "*",
        "\\*",
        "%20",
        "$1",
    ]
)
PARTS = st.lists(TEXT | st.sampled_from([ANY, ONE]), min_size=1, max_size=5)
MODIFIERS = st.sampled_from(["", "|contains", "|startswith", "|endswith"])


def written(parts: Sequence[Part]) -> str:
    """The value as it stands in a rule."""
    return "".join(
        re.sub(r"([\\*?])", r"\\\1", part) if isinstance(part, str) else "*" if part is ANY else "?" for part in parts
    )


def matches(parts: Sequence[Part], modifier: str, text: str) -> bool:
    """Whether the value, with its modifier, matches the text."""
    pattern = "".join(re.escape(part) if isinstance(part, str) else ".*" if part is ANY else "." for part in parts)
    before = ".*" if modifier in {"|contains", "|endswith"} else ""
    after = ".*" if modifier in {"|contains", "|startswith"} else ""
    return re.fullmatch(before + pattern + after, text, re.IGNORECASE | re.DOTALL) is not None


@st.composite
def texts(draw: st.DrawFn, parts: Sequence[Part]) -> str:
    """A text near the value: wildcards filled, letter case changed, perhaps a character lost, changed or glued on."""
    filling = st.text(ALPHABET, max_size=3)
    text = "".join(
        part if isinstance(part, str) else draw(filling) if part is ANY else draw(st.sampled_from(ALPHABET))
        for part in parts
    )
    text = draw(st.sampled_from([text, text.upper(), text.swapcase()]))
    match draw(st.sampled_from(["keep", "keep", "lose", "change", "glue before", "glue after", "other"])):
        case "lose" if text:
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + text[at + 1 :]
        case "change" if text:
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + draw(st.sampled_from(ALPHABET)) + text[at + 1 :]
        case "glue before":
            return draw(filling) + text
        case "glue after":
            return text + draw(filling)
        case "other":
            return draw(st.text(ALPHABET, max_size=8))
    return text
