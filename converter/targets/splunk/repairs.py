"""The repairs of the Splunk backend and of its pipelines: the only list of them."""

from __future__ import annotations

from converter.targets.repair import Repair, table

REPAIRS = table(
    Repair(
        "S1",
        "a regular expression under OR",
        "the part before it is cut off at an OR, so that the rest begins with `| search OR`",
        "the whole condition in one `where`",
    ),
    Repair(
        "S2",
        "a query that begins with a regular expression",
        "`| rex` stands first, which makes no events",
        "the data source first, the condition in one `where`",
    ),
    Repair(
        "S3",
        "NOT over an AND that holds a regular expression or a reference to a field",
        "the command that holds it loses the negation",
        "the negation stands in one `where`",
    ),
    Repair(
        "S4",
        r"a value with \" before a regular expression under OR",
        "the value is cut at the quotation mark",
        "the value stands whole",
    ),
    Repair("S5", "a literal *", r"\*, which asks for a backslash too", "a regular expression in `where`"),
    Repair("S6", "?", "*, any number of characters", "exactly one character, in `where`"),
    Repair(
        "S7",
        "a regular expression over a data model",
        "a condition on a field that a later command makes, which tstats lacks",
        "refused",
    ),
    Repair(
        "S8",
        "the object's name in web rules over a data model",
        "drop_dm_object_name(Proxy), where the fields begin with Web",
        "fields keep their model's name",
        inseparable="our queries drop no object's name, right or wrong",
    ),
    Repair(
        "S9",
        "a regular expression under OR on a field whose name is no word",
        "a group named after the field, which PCRE does not take",
        "match() of the field",
    ),
    Repair("S10", "letter case", "an error", "a regular expression that minds letter case"),
    Repair(
        "S11",
        "what one rule leaves to the next",
        "counters of a class outlive an error, so that names in a query depend on the rules before it",
        "every rule is converted in a fresh state",
        inseparable="no text of one rule shows it: it is between rules",
    ),
    Repair(
        "S12",
        "texts in savedsearches.conf",
        "a description that ends in a backslash goes on in the next line; searches of one title become one",
        "each text on one line that ends in no backslash, each search under a name of its own",
    ),
    Repair(
        "S13",
        "a rule's display list",
        "fields under Sigma's names, unquoted",
        "fields under the add-on's names, in quotes where needed; unmapped ones left out",
    ),
    Repair(
        "S14",
        "savedsearches and default differ",
        "another logic in one format than in the other",
        "one query, which a format only frames",
        inseparable="there is one query, and a format has no other to put in its place",
    ),
    Repair(
        "S15",
        "OR beside AND in `where`",
        "brackets left out, as OR binds closer in `search`; in `where` AND does",
        "brackets around every mix",
    ),
    Repair(
        "S16",
        "no data source",
        "a search over everything",
        "source and EventCode of the log source",
    ),
    Repair(
        "S17",
        "the name of a source",
        "WinEventLog:…, where the add-ons index XmlWinEventLog:…",
        "both names",
    ),
    Repair("S18", "a negated null", "NOT NOT f=*", "f=*"),
    Repair(
        "S19",
        "an empty value",
        'f="", though Splunk extracts no field without a value',
        'f="" OR NOT f=*',
    ),
    Repair(
        "S20",
        "events of a correlation on two sides of an edge",
        "windows that begin at fixed times, so that what lies on both sides of such a time is never counted together",
        "a window that slides along",
    ),
)
