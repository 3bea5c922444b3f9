"""The versions of what is replaced: with others, upstream's own code runs."""

from __future__ import annotations

from converter.cache import version

# The versions that the equality tests were run with.
KNOWN = {
    "pysigma": ("1.5.1",),
    "pysigma-backend-elasticsearch": ("2.1.1",),
    "pysigma-backend-kusto": ("1.0.1",),
    "pysigma-backend-splunk": ("2.1.0",),
}


def known() -> bool:
    """Whether pySigma and the backends that are installed are those that the pieces were held against."""
    return all(version(package) in versions for package, versions in KNOWN.items())
