"""The repairs of the Lucene backend and of its pipelines: the only list of them."""

from __future__ import annotations

from converter.targets.repair import Repair, table

REPAIRS = table(
    Repair(
        "L1",
        "letter case of fields that keep it",
        "the value as it is written, on a field that minds letter case",
        "`.caseless` where the data stream has it, else every letter in both its cases",
    ),
    Repair(
        "L2",
        "`.caseless` where there is none",
        "a sub-field that the data stream lacks, which finds nothing and everything under NOT",
        "the field itself, every letter in both its cases",
    ),
    Repair(
        "L3",
        "a regular expression for a part of a value",
        "the expression as it is, which Lucene anchors at both ends",
        ".* at each end without an anchor",
    ),
    Repair(
        "L4",
        "what Lucene's regular expressions lack or read otherwise",
        r"(?i), \b, \d, \w, ^, $, quotation marks and operators as they are; on `.caseless`, all in lower case",
        "Lucene's own spelling on the field that keeps letter case, or refused",
    ),
    Repair(
        "L5",
        "fields of rules for Linux, macOS or no product",
        "Sigma's names, which no document has",
        "the data stream's names",
    ),
    Repair("L6", "a value that begins with < or >", "a range", "the value in quotes, or a regular expression"),
    Repair("L7", "the values AND, OR and NOT", "an operator", "the value in quotes"),
    Repair("L8", "a tab or another white space in a value", "the end of the value", "the value in quotes, or escaped"),
    Repair(
        "L9",
        "wildcards and signs on numbers and addresses",
        "a pattern, at which the whole query fails",
        "a number or network that says the same, or refused",
    ),
    Repair(
        "L10",
        "accounts and hashes",
        r"user.name with DOMAIN\name, and a list of hashes that the ingest pipeline takes apart",
        "user.domain and user.name, and a field for each algorithm",
    ),
    Repair(
        "L11",
        "parts of text that is kept as words",
        "a pattern over more than one word, which finds nothing",
        "a part of one word, or refused",
    ),
    Repair(
        "L12",
        "command lines over 1,024 characters",
        "`.caseless` alone, which does not hold them",
        "the field itself where `.caseless` holds nothing",
    ),
    Repair(
        "L13",
        "rule files of Elastic Security",
        "data fetched at run time, an invalid severity, no look-back, techniques and tags lost",
        "ATT&CK's names from data that ships, a valid severity, a minute of look-back, all techniques and tags",
    ),
    Repair(
        "L14",
        "saved searches of Kibana",
        "a search without a query, which finds everything",
        "the query where Kibana reads it, with its language",
    ),
    Repair(
        "L15",
        "correlations and references to fields",
        "an error",
        "refused",
        inseparable="the stock backend writes nothing here that a query could show",
    ),
    Repair(
        "L16",
        "names of fields with punctuation, and letter case that matters",
        "a syntax error, and an error",
        "the name escaped; the field that keeps letter case",
    ),
    Repair(
        "L17",
        "an empty value, or a hyphen",
        'f:"", though the ingest pipeline takes such values away',
        "NOT _exists_:f, or refused",
    ),
)
NAMES = "L5"
