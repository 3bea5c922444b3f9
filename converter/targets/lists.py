"""Lists of values, as every dialect of ours treats them."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaExpansion


class FlatLists(TextQueryBackend):
    """Makes one list of the values of a field and of those that a modifier (`windash`, `base64offset`) made of them."""

    def init_processing_pipeline(self, output_format: str | None = None) -> None:
        """Take the pipeline of the backend's own, which is made once: nothing that is ours gives it another."""
        kind = type(self)
        if kind not in _pipelines:
            super().init_processing_pipeline(output_format)
            _pipelines[kind] = self.last_processing_pipeline
        self.last_processing_pipeline = _pipelines[kind]

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives, as one list of values where all are such."""
        if any(_is_several(arg) for arg in cond.args):
            flat = ConditionOR([leaf for arg in cond.args for leaf in _leaves(arg)], cond.source)
            if len(flat.args) > len(cond.args) and self.decide_convert_condition_as_in_expression(flat, state):
                return str(self.convert_condition_as_in_expression(flat, state))
        return str(super().convert_condition_or(cond, state))

    def convert_condition_field_eq_expansion(self, cond: Any, state: Any) -> Any:
        """What a modifier made several values of: a list of them."""
        either = ConditionOR(list(_leaves(cond)), cond.source)
        if self.decide_convert_condition_as_in_expression(either, state):
            return f"({self.convert_condition_as_in_expression(either, state)})"
        return f"({super().convert_condition_or(either, state)})"


# By class of backend, of which there are a handful.
_pipelines: dict[type[FlatLists], ProcessingPipeline] = {}


def _leaves(arg: Any) -> list[Any]:
    if _is_several(arg):
        return [ConditionFieldEqualsValueExpression(arg.field, value) for value in arg.value.values]
    return [arg]


def _is_several(arg: Any) -> bool:
    return isinstance(getattr(arg, "value", None), SigmaExpansion) and isinstance(
        arg, ConditionFieldEqualsValueExpression
    )
