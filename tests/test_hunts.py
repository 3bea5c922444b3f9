"""Hunting queries: every change of what they promise is noticed."""

from __future__ import annotations

import pytest

from tests.events import ROOT
from tests.pack_judged import hunted

OUTPUTS = {path.name: path for path in sorted((ROOT / "outputs").glob("*/t1596_003/_hunting.*"))}

# Of the rules' events every so many is tried on changed queries: fewer do.
FEW = 4
KQL, SPL, JSON, LUCENE = "_hunting.kql", "_hunting.spl", "_hunting.json", "_hunting.lucene"
CHANGES = [
    (KQL, "ago(24h)", "ago(23h)", "narrower", ""),
    (KQL, "ago(24h)", "ago(25h)", "wider", ""),
    (KQL, "Timestamp >", "Timestamp <", "broken", "none of the events"),
    (KQL, '"OpenSSLProbe"', '"OpensslProbe"', "mixed", "as OpensslProbe, not as OpenSSLProbe"),
    (KQL, "Timestamp desc", "Timestamp asc", "broken", "newest"),
    (KQL, "\n| sort by Timestamp desc", "", "broken", "newest"),
    (KQL, "DeviceName, ", "", "broken", "columns"),
    (KQL, "DeviceName, AccountName", "AccountName, DeviceName", "broken", "columns"),
    (KQL, "project Timestamp", "project Timestamp = ago(1h)", "broken", "a time that no event has"),
    (KQL, "DeviceName, AccountName", "DeviceName, AccountName = DeviceName", "broken", "as AccountName"),
    (KQL, "| where isnotempty(ToolCategory)\n", "", "wider", ""),
    (KQL, 'or ProcessCommandLine contains "tlsx" ', "", "narrower", ""),
    (KQL, "DeviceProcessEvents\n", "DeviceEvents\n", "broken", ""),
    (SPL, "earliest=-24h", "earliest=-23h", "narrower", ""),
    (SPL, "earliest=-24h", "earliest=-25h", "wider", ""),
    (SPL, "earliest=-24h ", "", "wider", ""),
    (SPL, '"CTLogQuery"', '"CTLog"', "mixed", "as CTLog, not as CTLogQuery"),
    (SPL, "| sort 0 - _time\n", "", "broken", "newest"),
    (SPL, "DeviceName, AccountName", "AccountName, DeviceName", "broken", "columns"),
    (SPL, "DeviceName=Computer", "DeviceName=User", "broken", "as DeviceName"),
    (SPL, "FolderPath=Image", "FolderPath=ParentImage", "broken", "as FolderPath"),
    (SPL, "CommandLine=ParentCommandLine", "CommandLine=CommandLine", "broken", "as InitiatingProcessCommandLine"),
    (SPL, "SHA256=coalesce(SHA256", "SHA256=coalesce(MD5", "exact", ""),
    (SPL, "| where isnotnull(ToolCategory)\n", "", "wider", ""),
    (SPL, "(?is)certgraph|", "(?is)", "narrower", ""),
    (JSON, "now-24h", "now-23h", "narrower", ""),
    (JSON, "now-24h", "now-25h", "wider", ""),
    (JSON, '"gt"', '"lt"', "broken", "none of the events"),
    (JSON, '"_name": "CertutilEnum"', '"_name": "Certutil"', "mixed", "as Certutil, not as CertutilEnum"),
    (JSON, '"desc"', '"asc"', "broken", "newest"),
    (JSON, '    "host.name",\n', "", "broken", "columns"),
    (JSON, '"host.name",\n    "user.name"', '"user.name",\n    "host.name"', "broken", "as DeviceName"),
    (JSON, '"minimum_should_match": 1', '"minimum_should_match": 0', "wider", ""),
    (JSON, '"size": 10000', '"size": 10', "narrower", ""),
    (JSON, " OR *tlsx*", "", "narrower", ""),
    (LUCENE, "now-24h", "now-23h", "narrower", ""),
    (LUCENE, "now-24h", "now-25h", "wider", ""),
    (LUCENE, " OR *tlsx*", "", "narrower", ""),
    (LUCENE, ") OR (event", ") AND (event", "narrower", ""),
    # The same as before: the other name of the digest is read, and both sides of the window's end are left open.
    (JSON, '"gt"', '"gte"', "exact", ""),
    (LUCENE, "{now", "[now", "exact", ""),
]


def test_every_hunting_query_of_the_pack_is_here() -> None:
    assert {KQL, SPL, JSON, LUCENE} == OUTPUTS.keys()


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_packs_hunting_queries_are_exact(name: str) -> None:
    told = hunted(name, OUTPUTS[name].read_text(encoding="utf-8"))
    assert (told.kind, told.reason) == ("exact", "")
    assert min(told.events[:2]) >= 30


@pytest.mark.parametrize(("name", "before", "after", "kind", "word"), CHANGES)
def test_a_change_of_what_is_promised_is_noticed(name: str, before: str, after: str, kind: str, word: str) -> None:
    text = OUTPUTS[name].read_text(encoding="utf-8")
    assert before in text
    told = hunted(name, text.replace(before, after, 1), FEW)
    assert (told.kind, told.reason if word not in told.reason else word) == (kind, word)


@pytest.mark.parametrize("name", [KQL, SPL])
def test_categories_in_another_order_are_noticed(name: str) -> None:
    lines = OUTPUTS[name].read_text(encoding="utf-8").split("\n")
    ends = [f'"{category}"' for category in ("CTLogQuery", "OpenSSLProbe")]
    one, two = (next(at for at, line in enumerate(lines) if line.rstrip(",").endswith(end)) for end in ends)
    lines[one], lines[two] = lines[two], lines[one]
    told = hunted(name, "\n".join(lines), FEW)
    assert told.kind == "mixed"
    assert "as OpenSSLProbe, not as CTLogQuery" in told.reason
