"""The repairs of the Kusto backend and of its pipelines: the only list of them."""

from __future__ import annotations

from converter.targets.repair import Repair, table

NO_TEXT = "the stock backend writes nothing here that a query could show"

REPAIRS = table(
    Repair(
        "K1",
        "an absent text",
        "isnull() of a column of text, which is always false",
        "isempty() where the column holds text, isnull() where it does not",
    ),
    Repair(
        "K2",
        "a backslash before a wildcard",
        "the pipeline reads a registry value anew after replacing a hive's name, so that the wildcard after a backslash"
        " becomes a literal star",
        "the value keeps its wildcard",
    ),
    Repair(
        "K3",
        "a wildcard within a value of a list",
        "the value's texts in any order, with nothing at its ends: contains a and contains b",
        "one pattern, anchored at both ends",
    ),
    Repair(
        "K4",
        "a wildcard within a single value",
        "a pattern that minds letter case, has no anchors and stops at a line break",
        "(?is)^…$",
    ),
    Repair(
        "K5",
        "a text compared with a column of numbers",
        'in~ ("4") or =~ "0x3e7", which the service takes for a mistake of types',
        "the number itself",
    ),
    Repair("K6", "a number compared with a column of text", "== 9", 'the number as text, =~ "9"'),
    Repair(
        "K7",
        "blocks of addresses",
        "ipv4_is_in_range, which is null for an IPv6 address and so drops the row of a negation or an alternative",
        "ipv6_is_in_range for such a block, and false in place of null",
    ),
    Repair(
        "K8",
        "a literal star beside a wildcard",
        r'the escape "\*", which KQL does not have',
        "one pattern in which the star stands for itself",
    ),
    Repair(
        "K9",
        "a value without a field",
        "a text in place of a condition",
        "a part of the column that the route gives for keywords; refused where it gives none",
    ),
    Repair(
        "K10",
        "very long chains of and, or",
        "one flat chain, at which the service's parser gives up",
        "groups in brackets",
    ),
    Repair(
        "K11",
        "rules that become no query",
        "nothing, without a word",
        "refused",
        inseparable=NO_TEXT,
    ),
    Repair(
        "K12",
        "all of several plain values; values that mind letter case",
        "has_all, which looks for whole words; an error for `cased`, or nothing at all with `all`",
        "every value compared by itself, with == where letter case matters",
    ),
    Repair(
        "K13",
        "? in a value of a list",
        "the value's texts in any order, with nothing at its ends",
        "one pattern, anchored, in which ? is one character",
    ),
    Repair("K14", "correlations", "an error", "refused", inseparable=NO_TEXT),
    Repair(
        "K15",
        "pipelines of Sentinel",
        "sentinel_asim names the column TargetProcessFilename, which does not exist; azure_monitor converts half",
        "the target sentinel has routes and columns of its own",
        inseparable="none of our routes uses these pipelines, so that nothing of them is left to switch on",
    ),
    Repair(
        "K16",
        "registry keys and values",
        "TargetObject as RegistryKey alone, numbers in Sysmon's notation, CurrentControlSet001, which does not exist",
        "the key with its value's name, and the data, both in Sysmon's spelling",
    ),
)
