"""The npm package that the analyser runs: fetched once, checked, and kept in the user's cache.

`@kusto/language-service-next` is Microsoft's, under the MIT licence, and no part of this project.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from converter.errors import SigmapackError

VERSION = "12.4.1"
_SCOPE, _NAME = "@kusto", "language-service-next"
_INTEGRITY = "8Ybwi1DVxnFZ8+mnw38ruXjSGIxA2jwx1HeqjStvMa5kSHzHPtEYm5n7et1fwgn5KDUZJzsSNjuRroiI+j8brA=="
# In the order in which they are run, each with its SHA-256.
FILES = {
    "bridge.min.js": "5edc505e5634daf2922197797740180d587d15b5f0f505c95ad7b5dd6b5daae8",
    "Kusto.Language.Bridge.min.js": "3a96a4ac1bff095ba49d6606e7d591f5d00519b529c51a6850032f62b0960a86",
}
_PUBLIC = "https://registry.npmjs.org/"
_TIMEOUT = 60
# Twice what the package has.
_LARGEST = 16_000_000
_SETTING = "npm_config_registry"


class Unfetched(SigmapackError):  # noqa: N818 - what became of it
    """The package could not be fetched and kept: no network, another content, no room."""


def folder() -> Path:
    """Where this version of the package is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative path there is to be ignored, says the XDG base directory specification.
    base = cache if cache.is_absolute() else Path.home() / ".cache"
    return base / "sigmapack" / "kusto-analyser" / VERSION


def kept() -> bool:
    """Whether the package stands in the cache, whole."""
    place = folder()
    try:
        return all((place / name).is_file() and _is(place / name, digest) for name, digest in FILES.items())
    except OSError:
        # What may not be entered or read is not at hand.
        return False


def add() -> Path:
    """Fetch the package from the configured npm registry and keep it; gives where. Raises Unfetched."""
    packed = _fetched(f"{registry()}/{_SCOPE}/{_NAME}/-/{_NAME}-{VERSION}.tgz")
    if base64.b64encode(hashlib.sha512(packed).digest()).decode() != _INTEGRITY:
        raise Unfetched(
            f"{registry()} gave another content for {_SCOPE}/{_NAME} {VERSION} than is expected; kept nothing"
        )
    return _keep(_unpacked(packed))


def registry() -> str:
    """The npm registry that the user has configured, or the public one, without a slash at its end."""
    of_environment = {key.lower(): value for key, value in os.environ.items()}.get(_SETTING, "")
    of_file = _configured(Path.home() / ".npmrc")
    return (of_file.get(f"{_SCOPE}:registry") or of_environment or of_file.get("registry") or _PUBLIC).rstrip("/")


def _configured(path: Path) -> dict[str, str]:
    """The registries that a configuration file of npm names."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found = re.findall(r"^\s*((?:@[\w.-]+:)?registry)\s*=\s*[\"']?([^\s\"']+)", text, re.MULTILINE)
    return {key: os.path.expandvars(value) for key, value in found}


def _fetched(address: str) -> bytes:
    if urlsplit(address).scheme not in {"http", "https"}:
        raise Unfetched(f"{address}: the npm registry's address begins with neither http:// nor https://")
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as response:  # noqa: S310 - checked above
            content: bytes = response.read(_LARGEST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise Unfetched(f"{address}: the registry says {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unfetched(f"{address}: cannot be fetched ({reason}); it takes a network once") from None
    if len(content) > _LARGEST:
        raise Unfetched(f"{address}: larger than the package can be; kept nothing")
    return content


def _unpacked(packed: bytes) -> dict[str, bytes]:
    """The two files of the package, by name; whatever else it has is left."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for name in FILES:
            content = archive.extractfile(f"package/{name}")
            if content is None:
                raise Unfetched(f"{name} of the package is no file")
            files[name] = content.read()
    return files


def _keep(files: dict[str, bytes]) -> Path:
    """Write the files beside their place and move them there at once."""
    place = folder()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{VERSION}-", dir=place.parent))
    except OSError as error:
        raise _unwritten(place, error) from None
    try:
        for name, content in files.items():
            (made / name).write_bytes(content)
        if place.exists():
            shutil.rmtree(place)
        made.rename(place)
    except OSError as error:
        # Another process may have put it there meanwhile.
        if not kept():
            raise _unwritten(place, error) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return place


def _unwritten(place: Path, error: OSError) -> Unfetched:
    return Unfetched(f"cannot be written: {error.strerror or error}", place)


def _is(path: Path, digest: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest
