"""Events made from a rule's own values, each with what the oracle says of it."""

from converter.generate.foreign import foreign
from converter.generate.made import Generated, generate
from converter.generate.smaller import minimised

__all__ = ["Generated", "foreign", "generate", "minimised"]
