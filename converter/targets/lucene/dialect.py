"""How a Lucene query string says a Sigma rule: the stock backend, with the repairs that its defects need."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend as StockBackend
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaString

from converter.targets import fields
from converter.targets.lists import FlatLists
from converter.targets.lucene.cost import affordable
from converter.targets.strings import parts, render, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.target import Arm, Route

# https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-query-string-query#_reserved_characters,
# and white space of every kind, which would end the value.
RESERVED = re.compile(r"""([+\-=&|!(){}\[\]<>^"~*?:\\/\s])""")
PLAIN = re.compile(r"(?!(?:AND|OR|NOT|TO)\Z)[\w.]+")
# https://www.elastic.co/docs/reference/query-languages/query-dsl/regexp-syntax
REGEX_RESERVED = frozenset('.?+*|{}[]()"#@&<>~^$-/')
MAX_REGEX = 1000
# https://www.elastic.co/docs/reference/elasticsearch/index-settings/index-modules#index-max-result-window
MAX_RESULT_WINDOW = 10_000
TIME = "@timestamp"


columns = fields.mapped


def query(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """One query for each condition of the rule: the events of the data stream, and one condition over them."""
    return conditions(fresh, route)


def conditions(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """Each condition of the rule, with that of its route: the query string is both."""
    return [f"{route.data} AND ({condition})" for condition in Backend(route).convert_rule(fresh())]


def hunting(settings: Hunting, arms: Sequence[Arm], known: Mapping[str, str]) -> dict[str, str]:
    """A search body in which each hit has the name of one category, and the same as one query string.

    Raises HuntingError where a column has no field on this target.
    """
    named = fields.hunting_columns(settings, known)
    body = {
        "size": MAX_RESULT_WINDOW,
        "track_total_hits": True,
        "query": {
            "bool": {
                "filter": [{"range": {TIME: {"gt": f"now-{settings.window}"}}}],
                "should": [_exclusive(arm, arms[:number]) for number, arm in enumerate(arms)],
                "minimum_should_match": 1,
            }
        },
        "sort": [{TIME: {"order": "desc"}}],
        "_source": False,
        "fields": list(named.values()),
    }
    any_arm = " OR ".join(f"({arm.condition})" for arm in arms)
    return {
        "json": json.dumps(body, ensure_ascii=False, indent=2),
        "lucene": f"{TIME}:{{now-{settings.window} TO *}} AND ({any_arm})",
    }


def _exclusive(arm: Arm, before: Sequence[Arm]) -> dict[str, object]:
    """The arm's events that no arm before it finds, under the name of its category."""
    clause: dict[str, object] = {"_name": arm.category, "must": [_query_string(arm)]}
    if before:
        clause["must_not"] = [_query_string(earlier) for earlier in before]
    return {"bool": clause}


def _query_string(arm: Arm) -> dict[str, object]:
    return {"query_string": {"query": arm.condition, "analyze_wildcard": True}}


class Backend(FlatLists, StockBackend):
    """pySigma's Lucene backend; each override names the defect it repairs, after the project's list of defects."""

    def __init__(self, route: Route) -> None:
        super().__init__(ProcessingPipeline())
        self.caseless: set[str] = set(route.options.get("caseless", ()))
        self.unlimited: set[str] = set(route.options.get("unlimited", ()))
        self.numeric: set[str] = set(route.options.get("numeric", ()))

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value, letter case ignored (L1, L2, L12)."""
        return self.any_of(cond.field, [cond.value])

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case: the field itself does (L16)."""
        return f"{self.escape_and_quote_field(cond.field)}:{term(cond.value)}"

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression: Lucene's dialect is another one (L3, L4)."""
        raise SigmaFeatureNotSupportedByBackendError("regular expressions are not translated to Lucene's dialect yet")

    convert_condition_val_re = convert_condition_field_eq_val_re

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A word without a field: it would be looked for in the index's default fields, which mind letter case."""
        raise SigmaFeatureNotSupportedByBackendError("a keyword without a field cannot be searched; name a field")

    convert_condition_val_num = convert_condition_val_str

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number, quoted where its sign would be an operator (L9)."""
        return f"{self.escape_and_quote_field(cond.field)}:{term(SigmaString(str(cond.value)))}"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: those that ignore letter case together, each other by itself."""
        texts = [arg for arg in cond.args if type(arg.value) is SigmaString]
        rest = [str(self.convert_condition(arg, state)) for arg in cond.args if type(arg.value) is not SigmaString]
        if texts:
            rest.insert(0, self.any_of(texts[0].field, [arg.value for arg in texts]))
        return " OR ".join(rest)

    def any_of(self, field: str, values: list[SigmaString]) -> str:
        """The field holds one of the values, in any letter case."""
        name = self.escape_and_quote_field(field)
        if any(shape(value).operator == "anything" for value in values):
            return f"_exists_:{name}"
        if field in self.numeric:
            return f"{name}:{either([number(value, field) for value in values])}"
        if field not in self.caseless:
            return f"{name}:{either([regex(value, any_case) for value in values])}"
        short = f"{name}.caseless:{either([term(value) for value in values])}"
        if field not in self.unlimited:
            return short
        # `.caseless` leaves out what is over its ignore_above; the field itself holds it, in its own letter case.
        long = f"{name}:{either([regex(value, any_case) for value in values])}"
        return f"({short} OR (NOT _exists_:{name}.caseless AND {long}))"


def either(terms: list[str]) -> str:
    """One term as it is, several as a group of which one must fit."""
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def term(value: SigmaString) -> str:
    """The value as a term with wildcards, quoted where it has none and is no plain word (L6, L7, L8)."""
    wanted = shape(value)
    _refuse_costly(value)
    if wanted.operator == "equals":
        if PLAIN.fullmatch(wanted.text):
            return wanted.text
        return '"' + wanted.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    first = parts(value)[0]
    if isinstance(first, str) and first.startswith(("<", ">")):
        # Even escaped, these would open a range.
        return regex(value, lambda letter: letter)
    return render(value, lambda text: RESERVED.sub(r"\\\1", text), "*", "?")


def regex(value: SigmaString, letters: Callable[[str], str]) -> str:
    """The value as a regular expression of Lucene's dialect, which is anchored at both ends."""
    _refuse_costly(value)
    text = render(value, lambda part: "".join(map(_regex_character(letters), part)), ".*", ".")
    # Java counts in UTF-16.
    if len(text.encode("utf-16-le")) // 2 > MAX_REGEX:
        message = f"a value is over {MAX_REGEX} characters long as a regular expression that ignores letter case"
        raise SigmaFeatureNotSupportedByBackendError(message)
    return f"/{text}/"


def _refuse_costly(value: SigmaString) -> None:
    """Raises for a value that is too long, or has too many `?` after a `*`: a node would fail the whole query."""
    if not affordable(parts(value)):
        message = "a value is too costly for Elasticsearch: shorten it, or the run of ? in it"
        raise SigmaFeatureNotSupportedByBackendError(message)


def any_case(letter: str) -> str:
    """One letter as a class of its forms."""
    forms = sorted({form for form in (letter, letter.lower(), letter.upper()) if len(form) == 1}, reverse=True)
    return f"[{''.join(forms)}]" if len(forms) > 1 else letter


def number(value: SigmaString, field: str) -> str:
    """The whole number that a value stands for; raises for any other, which would fail the whole query (L9)."""
    wanted = shape(value)
    if wanted.operator != "equals" or not re.fullmatch(r"-?\d+|0[xX][0-9a-fA-F]+", wanted.text):
        raise SigmaFeatureNotSupportedByBackendError(f"{field} holds numbers, which {str(value)!r} is not")
    return str(int(wanted.text, 0))


def _regex_character(letters: Callable[[str], str]) -> Callable[[str], str]:
    def escaped(character: str) -> str:
        if character == "\\":
            # Repeated once, so that a backslash never stands before the slash that ends the expression; as a class, it
            # would mislead OpenSearch's type `wildcard`.
            return r"\\{1}"
        if character.isalpha():
            return letters(character)
        return f"\\{character}" if character in REGEX_RESERVED else character

    return escaped
