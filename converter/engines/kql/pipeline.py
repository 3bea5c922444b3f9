"""A KQL query's operators as SQL, one SELECT around the other.

No column is ever dropped from the SQL: what a query shows is a map from Kusto's names, which know letter case, to SQL's
own. So `_row` stays at hand, and a column that an `extend` replaces keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from duckdb_kql import ir
from duckdb_kql.translate import naming

from converter.engines.engine import ROW, Invalid, Unjudged
from converter.engines.kql.compile import compiled, condition
from converter.engines.kql.expression import Context, Expression
from converter.engines.store import held, quoted
from converter.schemas.layout import Layout, Table

ORDER = "_order"


@dataclass
class Pipeline:
    """SQL so far, and the columns that the query sees by now.

    `leaves_open`: keep the rows of which it is open whether a filter takes them; `open` are columns that say so, one
    for each such filter.
    """

    table: str
    sql: str
    columns: dict[str, Expression]
    now: datetime | None
    leaves_open: bool
    ordered: bool = False
    open: list[str] = field(default_factory=list)
    made: int = 0

    def context(self) -> Context:
        """What an expression of the next operator stands in."""
        return Context(self.table, self.columns, self.now)

    def where(self, predicate: ir.Expr) -> None:
        """Keep the rows that the predicate holds for."""
        context = self.context()
        sql = condition(predicate, context, "where")
        if self.leaves_open and context.open:
            self.open.append(self.noted(context))
            sql = f"({sql}) OR {self.open[-1]}"
        self.sql = f"SELECT * FROM ({self.sql}) WHERE {sql}"

    def extend(self, expressions: Sequence[ir.NamedExpr], names: Sequence[str]) -> dict[str, Expression]:
        """Compute the expressions, and give the columns that hold them by their names."""
        made, columns, contexts = [], {}, {}
        for named, name in zip(expressions, names, strict=True):
            contexts[name] = self.context()
            value = compiled(named.expr, contexts[name])
            if isinstance(named.expr, ir.ColumnRef):
                columns[name] = value
                continue
            column = self.name()
            made.append(f"{value.sql} AS {column}")
            columns[name] = Expression(column, value.type, f"the column {name}")
        for name, context in contexts.items():
            if self.leaves_open and context.open:
                columns[name] = replace(columns[name], open=self.noted(context))
        if made:
            self.sql = f"SELECT *, {', '.join(made)} FROM ({self.sql})"
        return columns

    def noted(self, context: Context) -> str:
        """A new column that says for which rows the expressions of the context leave open what they give."""
        column = self.name()
        self.sql = f"SELECT *, ({' OR '.join(dict.fromkeys(context.open))}) AS {column} FROM ({self.sql})"
        return column

    def name(self) -> str:
        """A name for a column that no table has."""
        self.made += 1
        return f"_kql{self.made}"


def started(query: ir.Query, layout: Layout, now: datetime | None, *, leaves_open: bool = False) -> Pipeline:
    """The query's table, before any operator; raises Invalid, Unjudged."""
    if query.lets or query.parameters or not isinstance(query.source, ir.TableRef):
        raise Unjudged("anything but operators on one table is not judged")
    name = query.source.qualified
    if name not in layout.tables:
        raise Invalid(f"there is no table {name}")
    return Pipeline(name, f"SELECT * FROM {quoted(name)}", _columns(layout.tables[name]), now, leaves_open)


def _columns(table: Table) -> dict[str, Expression]:
    names = held(table)
    return {
        name: Expression(quoted(names[name]), column.type, f"the column {name}")
        for name, column in table.columns.items()
    }


def filters(operators: Sequence[ir.Operator]) -> int:
    """How many operators stand before the first that is neither filter nor extend."""
    kept = [isinstance(operator, ir.Where | ir.Extend) for operator in operators]
    return kept.index(False) if False in kept else len(kept)


def apply(operator: ir.Operator, pipeline: Pipeline) -> None:
    """Add the operator; raises Invalid, and Unjudged for one that is not judged."""
    added = _OPERATORS.get(type(operator))
    if added is None:
        raise Unjudged(f"the operator {type(operator).__name__.lower()} is not judged")
    added(operator, pipeline)


def _where(operator: ir.Where, pipeline: Pipeline) -> None:
    pipeline.where(operator.predicate)


def _extend(operator: ir.Extend, pipeline: Pipeline) -> None:
    names = naming.extend_names(operator.expressions, list(pipeline.columns))
    pipeline.columns = {**pipeline.columns, **pipeline.extend(operator.expressions, names)}


def _project(operator: ir.Project, pipeline: Pipeline) -> None:
    pipeline.columns = pipeline.extend(operator.expressions, naming.project_names(operator.expressions))


def _project_away(operator: ir.ProjectAway, pipeline: Pipeline) -> None:
    for name in operator.columns:
        pipeline.context().column(name)
    pipeline.columns = {name: column for name, column in pipeline.columns.items() if name not in operator.columns}


def _sort(operator: ir.Sort, pipeline: Pipeline) -> None:
    context, keys = pipeline.context(), []
    for key in operator.keys:
        # Kusto's null is the least of all values.
        nulls = key.ascending if key.nulls_first is None else key.nulls_first
        direction = f"{'ASC' if key.ascending else 'DESC'} NULLS {'FIRST' if nulls else 'LAST'}"
        keys.append(f"{compiled(key.expr, context).sql} {direction}")
    # Rows that the keys do not tell apart stand in the order they were made in, for two runs to show the same.
    keep = f" EXCLUDE ({ORDER})" if pipeline.ordered else ""
    number = f"row_number() OVER (ORDER BY {', '.join([*keys, ROW])})"
    pipeline.sql = f"SELECT *{keep}, {number} AS {ORDER} FROM ({pipeline.sql})"
    pipeline.ordered = True


def _take(operator: ir.Take, pipeline: Pipeline) -> None:
    if not pipeline.ordered:
        raise Unjudged("take without an order may show any rows")
    pipeline.sql = f"SELECT * FROM ({pipeline.sql}) ORDER BY {ORDER} LIMIT {max(operator.count, 0)}"


def _top(operator: ir.Top, pipeline: Pipeline) -> None:
    _sort(ir.Sort(operator.keys), pipeline)
    _take(ir.Take(operator.count), pipeline)


_OPERATORS: dict[type[ir.Operator], Callable[..., None]] = {
    ir.Where: _where,
    ir.Extend: _extend,
    ir.Project: _project,
    ir.ProjectAway: _project_away,
    ir.Sort: _sort,
    ir.Take: _take,
    ir.Top: _top,
}
