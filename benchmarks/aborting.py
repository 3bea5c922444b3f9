"""Names the rules that no backend ends the whole run for: run by the peer's own Python, with nothing of ours.

python aborting.py FOLDER TARGET=PIPELINE...: prints the path of every rule that is converted or refused in good order.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins


def sound(folder: Path, pairs: list[str]) -> Iterator[Path]:
    """The rules that every backend takes or refuses in good order."""
    plugins = InstalledSigmaPlugins.autodiscover()
    backends: list[Any] = []
    for pair in pairs:
        target, _, pipeline = pair.partition("=")
        made: Any = plugins.backends[target]
        resolved = plugins.get_pipeline_resolver().resolve([pipeline], target)
        backends.append(made(processing_pipeline=resolved, collect_errors=True))
    for path in sorted(folder.rglob("*.yml")):
        if all(_goes_through(backend, path) for backend in backends):
            yield path


def _goes_through(backend: Any, path: Path) -> bool:  # noqa: ANN401 - a backend of any language
    try:
        backend.convert(SigmaCollection.from_yaml(path.read_text(encoding="utf-8"), collect_errors=True))
    except SigmaError:
        return True
    except Exception:  # noqa: BLE001 - whatever it is, it ends sigma-cli's run
        return False
    return True


if __name__ == "__main__":
    for found in sound(Path(sys.argv[1]), sys.argv[2:]):
        sys.stdout.write(f"{found}\n")
