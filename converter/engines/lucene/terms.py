"""The terms that an analyzer makes of a text; those of the standard one are words by Unicode's word boundaries.

After https://www.elastic.co/docs/reference/text-analysis/analysis-standard-analyzer and the rules of UAX #29 for the
scripts that join letters to words; a text that holds characters of others is not cut.
"""

from __future__ import annotations

import re
import unicodedata

from converter.engines.engine import Unjudged

# UAX #29: WB6, WB7 (between letters), WB11, WB12 (between digits), WB13a, WB13b (`_` joins both).
_LETTER, _DIGIT = "[A-Za-zªµºÀ-ÖØ-öø-ʯͰ-ͳͶͷͺ-ͽͿΆΈ-ϿЀ-ҁҊ-ԯ]", "[0-9]"
_WORD = re.compile(
    rf"(?:{_LETTER}|{_DIGIT}|_+(?=[0-9A-Za-zªµºÀ-ÖØ-öø-ʯͰ-ͳͶͷͺ-ͽͿΆΈ-ϿЀ-ҁҊ-ԯ]))"
    rf"(?:{_LETTER}|{_DIGIT}|_|(?<={_LETTER})[.:'·’‘․﹒＇．](?={_LETTER})|(?<={_DIGIT})[.,;'’‘․﹒＇．](?={_DIGIT}))*"
)
# What stands between words and joins nothing: other signs of these ranges.
_KNOWN = re.compile(r"[\x00-ʯͰ-ͷͺ-ͿΆ-ҁҊ-ԯ\u2000-\u200b\u2010-\u2029\u202f-\u205f\u2070-\u2fff\u3000]*")
# https://www.elastic.co/docs/reference/text-analysis/analysis-standard-analyzer: max_token_length.
_LONGEST = 255


# https://github.com/elastic/beats, x-pack/winlogbeat/module/powershell: the pattern `[\W&&[^-]]+` separates terms.
_SCRIPT = re.compile(r"[\w-]+", re.ASCII)


def terms(text: str, analyzer: str) -> list[str]:
    """The terms in order; raises Unjudged for an analyzer or characters whose words this does not know."""
    if analyzer == "powershell_script":
        return [word.lower() for word in _SCRIPT.findall(text)]
    if analyzer != "standard":
        raise Unjudged(f"the analyzer {analyzer}")
    if not text.isascii() and (_KNOWN.fullmatch(text) is None or any(map(_emoji, text)) or "\xad" in text):
        raise Unjudged(f"the words of {text[:60]!r}: it holds characters that this engine does not cut into words")
    found = (word for match in _WORD.finditer(text) for word in _parts(match[0]))
    return [word.lower() for word in found]


def _parts(word: str) -> list[str]:
    return [word[at : at + _LONGEST] for at in range(0, len(word), _LONGEST)]


def _emoji(character: str) -> bool:
    return character > "\u2000" and unicodedata.category(character) in {"So", "Sk", "No", "Nl", "Pc"}
