"""SPL as it is read: conditions, expressions and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class All:
    """Parts of which all must hold."""

    parts: Sequence[Node]


@dataclass(frozen=True)
class Any:
    """Parts of which one must hold."""

    parts: Sequence[Node]


@dataclass(frozen=True)
class Not:
    """The opposite of a part."""

    part: Node


@dataclass(frozen=True)
class Group:
    """A condition of `search` in parentheses."""

    part: Node


@dataclass(frozen=True)
class Compared:
    """A field of `search` beside a value, in which `*` is a wildcard."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True)
class Listed:
    """A field of `search` that has one of some values, in which `*` is a wildcard."""

    field: str
    values: Sequence[str]


@dataclass(frozen=True)
class Keyword:
    """A word or phrase of `search` without a field."""

    value: str


@dataclass(frozen=True)
class Moment:
    """A limit of `_time`, in seconds of UNIX time."""

    sign: str
    seconds: float


@dataclass(frozen=True)
class Text:
    """A quoted text of an expression."""

    value: str


@dataclass(frozen=True)
class Number:
    """A number of an expression."""

    value: float


@dataclass(frozen=True)
class Field:
    """A field of an expression."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function of an expression, with its arguments."""

    name: str
    arguments: Sequence[Node]


@dataclass(frozen=True)
class Relation:
    """Two operands of an expression, compared."""

    left: Node
    sign: str
    right: Node


Node = All | Any | Not | Group | Compared | Listed | Keyword | Moment | Text | Number | Field | Call | Relation


@dataclass(frozen=True)
class Search:
    """The command `search`, and the beginning of a query."""

    condition: Node


@dataclass(frozen=True)
class Where:
    """The command `where`."""

    condition: Node


@dataclass(frozen=True)
class Eval:
    """The command `eval`: fields with their expressions, in order."""

    assignments: Sequence[tuple[str, Node]]


@dataclass(frozen=True)
class Regex:
    """The command `regex`."""

    field: str
    negated: bool
    pattern: str


@dataclass(frozen=True)
class Rex:
    """The command `rex`: what a named group finds becomes a field."""

    field: str
    pattern: str


@dataclass(frozen=True)
class Sort:
    """The command `sort` by one field, all rows."""

    field: str
    descending: bool


@dataclass(frozen=True)
class Table:
    """The command `table`."""

    columns: Sequence[str]


@dataclass(frozen=True)
class Rename:
    """The command `rename` of one field."""

    field: str
    name: str


@dataclass(frozen=True)
class Bin:
    """The command `bin` of `_time`, in seconds."""

    seconds: int


@dataclass(frozen=True)
class Aggregate:
    """A column of `stats` or `tstats`: a function, its field (`*` where it has none) and the column's name."""

    function: str
    field: str
    name: str


@dataclass(frozen=True)
class Stats:
    """The command `stats`."""

    aggregates: Sequence[Aggregate]
    by: Sequence[str]


@dataclass(frozen=True)
class Streamstats:
    """The command `streamstats` over a window of time, in seconds, that ends with each row."""

    seconds: int
    aggregates: Sequence[Aggregate]
    by: Sequence[str]


@dataclass(frozen=True)
class Dedup:
    """The command `dedup`: the first row of each combination of values."""

    fields: Sequence[str]


@dataclass(frozen=True)
class Head:
    """The command `head`: the first rows."""

    number: int


@dataclass(frozen=True)
class Tstats:
    """The command `tstats` over a data model."""

    options: Mapping[str, str]
    aggregates: Sequence[Aggregate]
    model: str
    condition: Node | None
    by: Sequence[str]


@dataclass(frozen=True)
class Multisearch:
    """The command `multisearch`: the rows of several searches."""

    queries: Sequence[Sequence[Command]]


Command = (
    Search
    | Where
    | Eval
    | Regex
    | Rex
    | Sort
    | Table
    | Rename
    | Bin
    | Stats
    | Streamstats
    | Dedup
    | Head
    | Tstats
    | Multisearch
)
