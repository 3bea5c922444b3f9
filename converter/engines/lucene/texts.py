"""What one value finds in a field of text, which is kept as terms (text, match_only_text)."""

from __future__ import annotations

from converter.engines.engine import Unjudged
from converter.engines.lucene import regex, strings, terms
from converter.engines.lucene.fields import Field
from converter.engines.lucene.holding import lowered
from converter.engines.lucene.predicates import Predicate, Some, either
from converter.engines.lucene.syntax import unescaped


def words(field: Field, text: str) -> Predicate | None:
    """The field holds one of the terms of the text; None where it has no terms, and the clause counts for nothing."""
    found = terms.terms(text, field.analyzer)
    return either(strings.term(field, word) for word in found) if found else None


def phrase(field: Field, text: str) -> Predicate | None:
    """The field holds the terms of the text one after the other; None as in `words`."""
    found = terms.terms(text, field.analyzer)
    if not found:
        return None
    return Some(field.phrases, patterns=(f".*{regex.escaped(' ' + ' '.join(found) + ' ')}.*",))


def prefix(field: Field, text: str) -> Predicate | None:
    """The field holds one of the terms of a word that ends in a star, the last of them as a beginning."""
    found = terms.terms(unescaped(text[:-1]), field.analyzer)
    if not found:
        raise Unjudged(f"{text!r} on {field.name}: the beginning of a word that has no terms")
    *whole, last = found
    return either(
        [*(strings.term(field, word) for word in whole), Some(field.values, patterns=(regex.escaped(last) + ".*",))]
    )


def expression(field: Field, text: str) -> Predicate:
    """The field holds a term that the regular expression matches; raises Unjudged where nodes differ in letter case."""
    if lowered(text) != text:
        raise Unjudged(f"{text} on {field.name}: OpenSearch makes it lower case and Elasticsearch does not")
    return strings.expression(field, text)
