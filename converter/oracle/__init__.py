"""What a Sigma rule means, event by event, after the Sigma specification 2.1; shares no code with what converts."""

from converter.oracle.meaning import Meaning, read
from converter.oracle.unmeant import Unmeant

__all__ = ["Meaning", "Unmeant", "read"]
