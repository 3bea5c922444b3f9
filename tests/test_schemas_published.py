"""What the published rules and the events beside them ask of the schemas of Microsoft and Splunk."""

from __future__ import annotations

import pytest

from converter.schemas.layout import read
from tests.sysmon_events import CORPUS, recorded, undecided, written

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
# Recorded events that a layout has no table for; Sysmon's own add-on has all of them.
DEFENDER = {"process_access", "sysmon_status", None}
ELSEWHERE = {
    "splunk_addons": set[str | None](),
    "defender": DEFENDER,
    "sentinel": DEFENDER,
    "splunk_security": {
        "process_access",
        "sysmon_status",
        "file_event",
        "image_load",
        "pipe_created",
        "registry_delete",
        "registry_set",
    },
    "splunk_cim": {*DEFENDER, "image_load", "pipe_created"},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_recorded_event_has_a_row(name: str) -> None:
    without = {told.logsource.category for _, told in recorded() if not written(read(name), told)}
    assert without == ELSEWHERE[name]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_field_of_a_rule_is_kept_or_dropped(name: str) -> None:
    assert undecided(read(name)) == {}
