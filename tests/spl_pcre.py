r"""Regular expressions as Splunk takes them, in PCRE's syntax, to the extent that Python's mean the same.

Search Manual, "SPL and regular expressions": PCRE in `match` and `replace`. PCRE's own manual, "pcrepattern": `\z` is
the very end; `\d`, `\w`, `\s` and `\b` go by ASCII.
"""

from __future__ import annotations

import re
from functools import cache

from tests.spl_reader import RefusedError, refuse_folding

FLAGS = re.compile(r"\(\?([is]+)\)")
PUNCTUATION = r"[ -/:-@\[-`{-~]"
PART = re.compile(
    rf"""(?P<end>\\z)
    |\\(?:{PUNCTUATION}|x[0-9a-fA-F]{{2}}|[dDwWsSbB])
    |\[\^?(?:\\{PUNCTUATION}|\\x[0-9a-fA-F]{{2}}|\\[dDwWsS]|[^\\\[\]])+\]
    |\((?:\?(?:[:=!]|<[=!])|(?![?*]))
    |(?!\{{,)[^\\\[(]""",
    re.DOTALL | re.VERBOSE,
)


@cache
def compiled(text: str) -> re.Pattern[str]:
    """The regular expression; raises RefusedError where Python's would not surely mean the same."""
    flags, position = re.ASCII, 0
    if found := FLAGS.match(text):
        position = found.end()
        flags |= sum({"i": re.IGNORECASE, "s": re.DOTALL}[letter] for letter in set(found[1]))
    if flags & re.IGNORECASE:
        refuse_folding(text)
    parts = []
    while position < len(text):
        part = PART.match(text, position)
        if part is None:
            raise RefusedError(f"the regular expression {text} has a form that we do not emit at {text[position:]}")
        parts.append(r"\Z" if part["end"] else part[0])
        position = part.end()
    try:
        return re.compile("".join(parts), flags)
    except re.error as error:
        raise RefusedError(f"the regular expression {text}: {error}") from error
