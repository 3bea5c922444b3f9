"""Text that a document can hold, whatever a rule or a file name says: what its form forbids is written out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

# Python keeps the bytes of a file name that is not UTF-8 as lone surrogates (PEP 383), which UTF-8 cannot hold.
_SURROGATES = re.compile("[\ud800-\udfff]")
NEWLINE = "\n"
_ESCAPED_BYTES = range(0xDC80, 0xDD00)
# XML 1.0, production 2.
_NOT_XML = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def utf8(text: str) -> str:
    r"""The text with each lone surrogate written out: a stray byte of a file name as `\xff`."""
    return _SURROGATES.sub(_written_out, text)


def xml(text: str) -> str:
    r"""The text with each character that XML 1.0 forbids written out, like `\x00`; markup is not escaped."""
    return re.sub(_NOT_XML, _written_out, text)


def json_document(value: Mapping[str, Any]) -> str:
    """The value as a JSON text for people and programs, in UTF-8 as it is, with a final newline."""
    return json_text(f"{_indented(value, NEWLINE)}\n")


def json_text(text: str) -> str:
    """The JSON text with each lone surrogate written out."""
    if text.isascii():
        return text
    return _SURROGATES.sub(lambda match: "\\" + _written_out(match), text)


def _indented(value: object, line: str) -> str:
    """What `json.dumps` writes with `indent=2`; that has its fast way for one line only."""
    if isinstance(value, str):
        return encode_basestring(value)
    deeper = f"{line}  "
    if isinstance(value, dict) and value:
        parts = [f"{deeper}{_key(key)}: {_indented(held, deeper)}" for key, held in value.items()]
        return f"{{{','.join(parts)}{line}}}"
    if isinstance(value, list | tuple) and value:
        return f"[{','.join([deeper + _indented(held, deeper) for held in value])}{line}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a document's keys are texts, not {key!r}")
    return encode_basestring(key)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _ESCAPED_BYTES:
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
