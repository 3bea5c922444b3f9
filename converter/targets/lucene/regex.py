r"""A Sigma regular expression in Lucene's dialect, where that can be said exactly (L3, L4).

https://www.elastic.co/docs/reference/query-languages/query-dsl/regexp-syntax: anchored at both ends, no look-around,
no back-references, no `^ $ \b`, no inline flags; `.` also stands for a line break.
"""

from __future__ import annotations

import re

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaRegularExpression, SigmaRegularExpressionFlag

from converter.targets.lucene.values import any_case, expression, literal

OPENING = re.compile(r"\(\?(?::|P?<(?![=!])\w+>)")
QUANTIFIER = re.compile(r"(?:[*+?]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\})(?P<lazy>\??)(?P<possessive>\+?)")
# What the shorthands stand for within a class; \s and \S have no spelling without control characters.
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r"\s"}
ASCII_MAX = 0x7F
# Seen on Elasticsearch 9.5.3: `\s+[^"]{0,64}x` and `a.{1,64}b.{1,64}c` match nothing; with counts of up to 20 they do.
MAX_COUNT = 20
# What Sigma's patterns have and Lucene's take otherwise, outside of classes.
FOREIGN = re.compile(r"""\(\?|\\[A-Za-z]|["@#&<>~^.]|\$""")
CLASS = re.compile(r"\\[^A-Za-z]|\[\^?\]?(?:[^\]\\]|\\[^A-Za-z])*\]")
# `.` without flag s. No escape of Lucene's names the line break, so that it stands here itself.
DOT = "[^\n]"
ESCAPE = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|t|[^\w]|_")
LITERAL = re.compile(r"(?:[^.(\[\\]|\\[^\w])\Z")


def is_foreign(value: SigmaRegularExpression) -> bool:
    """Whether Lucene takes the expression for another one as it is written (L4)."""
    return bool(value.flags) or FOREIGN.search(CLASS.sub("x", str(value.regexp))) is not None


def anywhere(text: str) -> str:
    """An expression as it is written, made to fit a part of a value where it has no anchors (L3)."""
    return f"{'' if text.startswith('^') else '.*'}{text}{'' if text.endswith('$') else '.*'}"


def translated(value: SigmaRegularExpression, *, unanchored: bool = True) -> str:
    """The expression between slashes in Lucene's dialect; raises with the part that has no equal there.

    Where not `unanchored`, it fits whole values only, whatever its anchors (L3).
    """
    text = str(value.regexp)
    flags = set(value.flags)
    if text.startswith("(?i)"):
        text, flags = text[4:], flags | {SigmaRegularExpressionFlag.IGNORECASE}
    dot = "." if SigmaRegularExpressionFlag.DOTALL in flags else DOT
    reader = _Reader(text, SigmaRegularExpressionFlag.IGNORECASE in flags, dot)
    if SigmaRegularExpressionFlag.MULTILINE in flags and re.search(r"(?<!\\)[\^$]", text):
        raise _unsaid("anchors at lines (flag m)")
    alternatives = reader.alternatives()
    if reader.at < len(text):
        raise _unsaid("an unbalanced parenthesis")
    whole = [_anywhere(*alternative) if unanchored else alternative[0] for alternative in alternatives]
    return expression("|".join(whole))


def _anywhere(body: str, at_start: bool, at_end: bool) -> str:  # noqa: FBT001 - read from the expression
    # At an end without an anchor, any number of characters of one line say nothing.
    body = body if at_start else body.removeprefix(f"{DOT}*")
    body = body if at_end else body.removesuffix(f"{DOT}*")
    start = "" if at_start or body.startswith(".*") else ".*"
    end = "" if at_end or body.endswith(".*") else ".*"
    text = f"{start}{body}{end}"
    if not text:
        raise _unsaid("nothing but anchors")
    return text


def _unsaid(what: str) -> SigmaFeatureNotSupportedByBackendError:
    return SigmaFeatureNotSupportedByBackendError(f"Lucene's regular expressions cannot say {what}")


class _Reader:
    """Reads a regular expression once from left to right, and writes Lucene's as it goes."""

    def __init__(self, text: str, ignore_case: bool, dot: str) -> None:  # noqa: FBT001 - a flag of the expression
        self.text, self.at, self.ignore_case, self.depth = text, 0, ignore_case, 0
        self.dot = dot

    def alternatives(self) -> list[tuple[str, bool, bool]]:
        """Each alternative up to the closing parenthesis or the end, and whether `^` and `$` anchor it."""
        found = [self.sequence()]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            found.append(self.sequence())
        return found

    def sequence(self) -> tuple[str, bool, bool]:
        """One alternative."""
        at_start = self.depth == 0 and self.text.startswith("^", self.at)
        if at_start:
            self.at += 1
        written: list[str] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if self.text[self.at] == "$" and self.depth == 0 and self.text[self.at + 1 : self.at + 2] in ("", "|"):
                self.at += 1
                return "".join(written), at_start, True
            atom = self.atom()
            written.append(atom + self.quantifier(atom))
        return "".join(written), at_start, False

    def atom(self) -> str:
        """One character, class or group."""
        character = self.text[self.at]
        if character == "(":
            return self.group()
        if character == "[":
            return self.charclass()
        if character == "\\":
            self.at += 1
            return self.escape()
        if character in "^$":
            raise _unsaid(f"an anchor {character} within an expression")
        if character in "*+?":
            raise _unsaid(f"a {character} that repeats nothing")
        self.at += 1
        return self.dot if character == "." else self.letter(character)

    def letter(self, character: str) -> str:
        """A character that stands for itself."""
        if self.ignore_case and character.isalpha():
            return any_case(character)
        return literal(character)

    def group(self) -> str:
        """A group, of which Lucene has one kind."""
        if self.text.startswith("(?", self.at):
            opening = OPENING.match(self.text, self.at)
            if opening is None:
                raise _unsaid(f"the group {self.text[self.at : self.at + 4]}…")
            self.at = opening.end()
        else:
            self.at += 1
        self.depth += 1
        inner = self.alternatives()
        self.depth -= 1
        if not self.text.startswith(")", self.at):
            raise _unsaid("an unbalanced parenthesis")
        self.at += 1
        return "(" + "|".join(body or "()" for body, _, _ in inner) + ")"

    def quantifier(self, atom: str) -> str:
        """How often the atom before it repeats; that it is lazy changes nothing of what fits."""
        found = QUANTIFIER.match(self.text, self.at)
        if found is None:
            return ""
        if found["possessive"]:
            raise _unsaid("possessive repetition")
        if (
            found["most"]
            and int(found["most"]) > MAX_COUNT
            and found["most"] != found["least"]
            and not LITERAL.match(atom)
        ):
            raise _unsaid(f"{found[0]}, for which Elasticsearch finds nothing and reports no error")
        self.at = found.end()
        return found[0].removesuffix("?") if found["lazy"] else found[0]

    def escape(self) -> str:
        """What follows a backslash outside of a class."""
        character = self.text[self.at : self.at + 1]
        if character.lower() in CLASSES:
            self.at += 1
            inner = CLASSES[character.lower()]
            if character in "sS":
                return f"\\{character}"
            return f"[{'^' if character.isupper() else ''}{inner}]"
        return self.letter(self.escaped())

    def escaped(self) -> str:
        """The one character that an escape stands for."""
        found = ESCAPE.match(self.text, self.at)
        if found is None:
            raise _unsaid(f"the escape \\{self.text[self.at : self.at + 1]}")
        self.at = found.end()
        code = found[1] or found[2]
        character = chr(int(code, 16)) if code else "\t" if found[0] == "t" else found[0]
        if not code and found[0] != "t":
            return character
        if character != "\t" and not character.isprintable():
            raise _unsaid(f"the character U+{ord(character):04X}")
        return character

    def charclass(self) -> str:
        """A class of characters."""
        self.at += 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        written: list[str] = []
        first = True
        while first or not self.text.startswith("]", self.at):
            if self.at >= len(self.text) or self.text.startswith(("[:", "[=", "[."), self.at):
                raise _unsaid("a class that is open or named")
            first = False
            written.append(self.member())
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(written)}]"

    def member(self) -> str:
        """One member of a class: a shorthand, a range, or a character."""
        if self.text.startswith("\\", self.at) and (short := self.text[self.at + 1 : self.at + 2]).lower() in CLASSES:
            self.at += 2
            if short.isupper() and short != "S":
                raise _unsaid(f"\\{short} within a class")
            return r"\S" if short == "S" else CLASSES[short]
        low = self.single()
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            if self.text.startswith("\\", self.at) and self.text[self.at + 1 : self.at + 2].lower() in CLASSES:
                raise _unsaid("a range that ends in a class")
            return self.range(low, self.single())
        forms = {low, low.lower(), low.upper()} if self.ignore_case else {low}
        return "".join(_in_class(form) for form in sorted(forms) if len(form) == 1)

    def range(self, low: str, high: str) -> str:
        """A range, in ignored letter case with the other form of each of its letters."""
        written = f"{_in_class(low)}-{_in_class(high)}"
        if not self.ignore_case:
            return written
        if ord(high) > ASCII_MAX:
            raise _unsaid("a range beyond ASCII that ignores letter case")
        inside = {chr(code) for code in range(ord(low), ord(high) + 1)}
        return written + "".join(sorted({letter.swapcase() for letter in inside if letter.isalpha()} - inside))

    def single(self) -> str:
        """One character of a class."""
        if self.text.startswith("\\", self.at):
            self.at += 1
            return self.escaped()
        self.at += 1
        return self.text[self.at - 1]


def _in_class(character: str) -> str:
    return character if character.isalnum() or character in " _\t" else f"\\{character}"
