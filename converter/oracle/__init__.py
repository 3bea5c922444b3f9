"""What a Sigma rule means, event by event, after the Sigma specification 2.1; shares no code with what converts."""

from converter.oracle.found import Correlated, Found, correlation
from converter.oracle.meaning import Meaning, read
from converter.oracle.unmeant import Unmeant
from converter.oracle.words import spelled

__all__ = ["Correlated", "Found", "Meaning", "Unmeant", "correlation", "read", "spelled"]
