"""The project: where its rules and outputs stand, and what `sigmapack.toml` says of their conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from converter import documents
from converter.errors import SigmapackError, UsageError
from converter.settings import Settings

FILE = "sigmapack.toml"
RULES = "sigma_rules"
OUTPUTS = "outputs"
KEYS = ("packs", "targets", "pipelines", "filters", "outputs", "placeholders")


@dataclass(frozen=True)
class Project:
    """A project's settings, paths as the user would write them; empty `targets` stand for the defaults.

    `packs` are folders of rules, `filters` files or folders of Sigma filters, `pipelines` names or files of pySigma
    pipelines beside those of the routes, `placeholders` the values of each placeholder.
    """

    root: Path
    path: Path | None
    packs: tuple[Path, ...]
    outputs: Path
    targets: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    filters: tuple[Path, ...] = ()
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def project(start: Path) -> Project:
    """The project that `start` lies in; raises UsageError where there is none, SigmapackError where its file is bad."""
    found = find(start)
    if found is None:
        message = f"no {FILE} and no {RULES} folder here or above; name an INPUT, or run sigmapack init"
        raise UsageError(message, start)
    return found


def blamed(project: Project, key: str, value: str, message: str) -> SigmapackError:
    """The message as an error of the project file, with the line of the value under the key."""
    if project.path is None:
        return UsageError(message)
    return SigmapackError(message, project.path, documents.line_of(documents.read_text(project.path), key, value))


def find(start: Path) -> Project | None:
    """The project of the nearest folder, from `start` upward, with a `sigmapack.toml` or a `sigma_rules` folder."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return _read(folder, start)
        if (folder / RULES).is_dir():
            return Project(folder, None, (_relative(folder / RULES, start),), _relative(folder / OUTPUTS, start))
    return None


def _read(root: Path, start: Path) -> Project:
    path = _relative(root / FILE, start)
    text = documents.read_text(path)
    settings = Settings(path, text, documents.parse_toml(text, path))
    settings.refuse_unknown(KEYS)

    def paths(key: str, default: tuple[str, ...] = ()) -> tuple[Path, ...]:
        names = settings.strings(key) if key in settings.values else default
        if key not in settings.values and default and not (root / default[0]).exists():
            raise SigmapackError(f"has no packs: make a folder {default[0]}, or name packs", path)
        for name in names:
            if not (root / name).exists():
                settings.fail(key, f"{key} names {name}, which does not exist", name)
        return tuple(_relative(root / name, start) for name in names)

    outputs = settings.string("outputs") if "outputs" in settings.values else OUTPUTS
    return Project(
        root=root,
        path=path,
        packs=paths("packs", (RULES,)),
        outputs=_relative(root / outputs, start),
        targets=settings.strings("targets") if "targets" in settings.values else (),
        pipelines=_pipelines(settings, root, start),
        filters=paths("filters"),
        placeholders=_placeholders(settings),
    )


def _pipelines(settings: Settings, root: Path, start: Path) -> tuple[str, ...]:
    """Each pipeline, a file as its path: names and files share one list, as on the command line."""
    names = settings.strings("pipelines") if "pipelines" in settings.values else ()
    return tuple(str(_relative(root / name, start)) if (root / name).exists() else name for name in names)


def _placeholders(settings: Settings) -> dict[str, tuple[str, ...]]:
    if "placeholders" not in settings.values:
        return {}
    table = settings.table("placeholders")
    return {name: table.strings(name) for name in table.values}


def _relative(path: Path, start: Path) -> Path:
    """The path as a user in `start` would write it: relative where it lies below, absolute elsewhere."""
    return path.relative_to(start) if path.is_relative_to(start) else path
