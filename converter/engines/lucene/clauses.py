"""A query's clauses as a predicate: what they require, allow and forbid, as Lucene's classic parser decides it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from converter.engines.engine import Unjudged
from converter.engines.lucene import fields, strings, texts, typed
from converter.engines.lucene.fields import Field
from converter.engines.lucene.holding import STRINGS
from converter.engines.lucene.predicates import EVERY, NEVER, Predicate, Some, all_of, either, inverse
from converter.engines.lucene.syntax import Clause, Group, Item, Range, Word, bound, unescaped
from converter.schemas.layout import Table

EXISTS = "_exists_"


@dataclass(frozen=True)
class Meaning:
    """What queries mean under the mapping of a table, at a time of now."""

    table: Table
    now: datetime | None = None

    def query(self, group: Group) -> Predicate:
        """What a whole query finds; raises Invalid and Unjudged."""
        found = self._group(group, None)
        return NEVER if found is None else found

    def _group(self, group: Group, field: str | None) -> Predicate | None:
        """What a group says, None where its clauses count for nothing.

        A clause after AND is required and makes the one before it required; one after NOT is forbidden; others are
        alternatives, of which one must hold only where nothing is required. Elasticsearch fills a group that only
        forbids with all documents.
        """
        occurs: list[tuple[str, Predicate]] = []
        for item in joined(group.items):
            if item.operator == "AND" and occurs and occurs[-1][0] != "not":
                occurs[-1] = ("must", occurs[-1][1])
            found = self._clause(item.clause, field)
            if found is None:
                continue
            forbidden = item.sign in {"MINUS", "NOT"}
            required = item.sign == "PLUS" or item.operator == "AND"
            occurs.append(("not" if forbidden else "must" if required else "should", found))
        if not occurs:
            return None
        parts = {kind: [part for own, part in occurs if own == kind] for kind in ("must", "should", "not")}
        wanted = all_of(parts["must"]) if parts["must"] else either(parts["should"]) if parts["should"] else EVERY
        return all_of([wanted, *map(inverse, parts["not"])])

    def _clause(self, clause: Clause, outer: str | None) -> Predicate | None:
        name = outer if clause.field is None else clause.field
        body = clause.body
        if isinstance(body, Group):
            return self._group(body, name)
        if name == EXISTS and isinstance(body, Word) and body.kind in {"TERM", "QUOTED"} and not body.fuzzy:
            return self._exists(text_of(body))
        if name == "*" and body == Word("STAR", "*"):
            return EVERY
        if name is None:
            found = [self._on(field, body) for field in fields.defaults(self.table)]
            said = [part for part in found if part is not None]
            return either(said) if said else None
        field = fields.named(self.table, name)
        return NEVER if field is None else self._on(field, _ranged(body))

    def _on(self, field: Field, body: Word | Range) -> Predicate | None:
        if isinstance(body, Range):
            return self._between(field, body)
        if body.fuzzy:
            if body.kind == "TERM" and field.type not in STRINGS | {"text"}:
                raise typed.pattern(field, "fuzzy word")
            raise Unjudged(f"a fuzzy word or phrase on {field.name}")
        if body.kind == "STAR":
            return exists(field)
        if body.kind in {"TERM", "QUOTED", "BARE_OPERATOR"}:
            return self._value(field, body)
        return _pattern(field, body)

    def _value(self, field: Field, body: Word) -> Predicate | None:
        text = text_of(body)
        if field.type == "text":
            return texts.phrase(field, text) if body.kind == "QUOTED" else texts.words(field, text)
        if field.type in STRINGS:
            return strings.term(field, text)
        return typed.term(field, text, self.now)

    def _between(self, field: Field, wanted: Range) -> Predicate:
        if field.type == "text" or field.type in STRINGS:
            return strings.between(field, wanted)
        return typed.between(field, wanted, self.now)

    def _exists(self, name: str) -> Predicate:
        field = fields.named(self.table, name)
        if field is not None:
            return exists(field)
        return either(map(exists, fields.below(self.table, name)))


def exists(field: Field) -> Predicate:
    """The index holds a value of the field; a text counts even where it has no terms."""
    return Some(field.written or field.values, tests=("true",))


def text_of(word: Word) -> str:
    """The text that a word or a quoted text stands for."""
    if word.kind == "BARE_OPERATOR":
        return word.text[0]
    return unescaped(word.text[1:-1] if word.kind == "QUOTED" else word.text)


def joined(items: Sequence[Item]) -> Iterator[Item]:
    """The items, with words that stand side by side joined to one, as the parser does before it analyses them."""
    at = 0
    while at < len(items):
        end = at + 1
        while _bare(items[at]) and _bare(items[end : end + 1]) and not _tied(items[end + 1 : end + 2]):
            end += 1
        if end == at + 1:
            yield items[at]
        else:
            words = (item.clause.body for item in items[at:end])
            text = " ".join(word.text for word in words if isinstance(word, Word))
            yield Item(None, None, Clause(None, Word("TERM", text)))
        at = end


def _bare(item: Item | Sequence[Item]) -> bool:
    """Whether this is a word alone, without an operator, a field or a boost."""
    if not isinstance(item, Item):
        return len(item) == 1 and _bare(item[0])
    return item == Item(None, None, Clause(None, item.clause.body)) and _is_term(item.clause.body)


def _is_term(body: Word | Range | Group) -> bool:
    return isinstance(body, Word) and body == Word("TERM", body.text)


def _tied(after: Sequence[Item]) -> bool:
    """Whether what follows a word keeps the parser from joining it to the one before."""
    return any(item.operator is not None or item.clause.body == Word("STAR", "*") for item in after)


def _ranged(body: Word | Range) -> Word | Range:
    """A word that begins with `<` or `>`, escaped or not, is a range."""
    if isinstance(body, Range) or body.kind != "TERM" or body.fuzzy:
        return body
    text = text_of(body)
    sign, rest = text[:1], text[1:]
    if sign not in {"<", ">"} or not rest:
        return body
    equal = rest.startswith("=") and rest != "="
    end = bound(rest[1:] if equal else rest)
    if sign == ">":
        return Range(end, None, with_low=equal, with_high=True)
    return Range(None, end, with_low=True, with_high=equal)


def _pattern(field: Field, body: Word) -> Predicate | None:
    named = {"PREFIX": "word with a star", "WILD": "wildcard", "REGEX": "regular expression"}
    if field.type != "text" and field.type not in STRINGS:
        raise typed.pattern(field, named[body.kind])
    if body.kind == "WILD":
        return strings.wildcard(field, body.text)
    if body.kind == "PREFIX":
        return texts.prefix(field, body.text) if field.type == "text" else strings.prefix(field, body.text)
    return texts.expression(field, body.text) if field.type == "text" else strings.expression(field, body.text)
