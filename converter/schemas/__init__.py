"""The table of layouts: what each vendor stores of an event, as data with the documentation's source."""

from __future__ import annotations

from converter.schemas.layout import Layout, read

# By the name of the target that is written for it.
LAYOUTS = {
    "kusto": "defender",
    "sentinel": "sentinel",
    "splunk": "splunk_addons",
    "splunk_security": "splunk_security",
    "splunk_cim": "splunk_cim",
    "lucene": "elastic_defend",
    "lucene_windows": "elastic_windows",
    "lucene_winlogbeat": "winlogbeat",
}


def layout(target: str) -> Layout | None:
    """What the data of this target holds; None for a target that has no schema yet."""
    return read(LAYOUTS[target]) if target in LAYOUTS else None
