"""Which fields a target knows: those that its pipelines map to, and those that answer for a hunting query's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sigma.processing.transformations import FieldMappingTransformation

from converter.targets.target import HuntingError

if TYPE_CHECKING:
    from sigma.processing.pipeline import ProcessingPipeline

    from converter.packs import Hunting
    from converter.targets.target import Route


def mapped(_route: Route, pipeline: ProcessingPipeline) -> set[str]:
    """Every field that the route's pipelines map to, fields that keep their Sigma name included."""
    transformations = (item.transformation for item in pipeline.items)
    mappings = [names.mapping for names in transformations if isinstance(names, FieldMappingTransformation)]
    return {str(name) for mapping in mappings for name in mapping.values()}


def hunting_columns(settings: Hunting, known: Mapping[str, str]) -> dict[str, str]:
    """What each column of the hunting query is on the target, in order, the category's column left out.

    Raises HuntingError for a column that the target does not know.
    """
    wanted = [column for column in settings.columns if column != settings.category_column]
    if unknown := [column for column in wanted if column not in known]:
        raise HuntingError(f"no field answers for the column {unknown[0]}; have: {', '.join(known)}")
    return {column: known[column] for column in wanted}
