"""Events that hold one listed value of a rule each, made from the rules' lists: what each rule's query must find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from tests import events
from tests.events import RECENT, Event, operating_system

# The rules' conditions by hand: the selections that together make an event one of the rule's.
TOGETHER: Mapping[str, Sequence[Sequence[str]]] = {
    "proc_creation_cert_enum_tool": [["selection_img"], ["selection_cli"]],
    "proc_creation_ct_log_query": [
        ["selection_service", "selection_client"],
        ["selection_service", "selection_openssl_img", "selection_openssl_cli"],
        ["selection_service", "selection_certutil_img", "selection_certutil_cli"],
    ],
    "proc_creation_openssl_probe": [["selection_img", "selection_cli"]],
    "proc_creation_win_certutil_enum": [["selection_img", "selection_cli"]],
}
# A value that holds another of its list adds no event.
COVERED = {
    "proc_creation_cert_enum_tool": {"zgrab2"},
    "proc_creation_ct_log_query": {"api.certspotter.com", "search.censys.io", *(f"{dash}urlcache" for dash in "-/–—―")},
    "proc_creation_openssl_probe": set[str](),
    "proc_creation_win_certutil_enum": {f"{dash}urlcache" for dash in "-/–—―"},
}
PADDING = "aB " * 200


def _listed(rule: str, selection: str) -> tuple[str, Sequence[str]]:
    """The field of a selection with its modifiers, and its values as an event holds them."""
    document = next(read.document for read in events.pack().rules if read.place.name == rule)
    ((field, values),) = document["detection"][selection].items()
    if "windash" in field:
        return field, [dash + value[1:] for value in values for dash in "-/–—―"]
    return field, values


@cache
def words(rule: str) -> Mapping[str, Event]:
    """For each value of each selection, in each way that the condition takes it, an event that it alone makes a hit."""
    return {
        event.id: event
        for selections in TOGETHER[rule]
        for selection in selections
        for value in _listed(rule, selection)[1]
        for event in [_event(rule, selections, selection, value)]
    }


@cache
def near_misses(rule: str) -> Mapping[str, Event]:
    """The events of `words`, the last character of each value spoilt, where that leaves no other value of its list."""
    return {
        event.id: event
        for selections in TOGETHER[rule]
        for selection in selections
        for field, values in [_listed(rule, selection)]
        for spoilt in [value[:-1] + "_" for value in values]
        if "contains" not in field or not any(other.lower() in spoilt.lower() for other in values)
        for event in [_event(rule, selections, selection, spoilt)]
    }


def _event(rule: str, selections: Sequence[str], selection: str, value: str) -> Event:
    """An event that holds `value` for one of the selections, and for each other one the first of its values."""
    image, line = "/usr/bin/run", ["run"]
    for name in selections:
        field, values = _listed(rule, name)
        held = value if name == selection else values[0]
        if field.startswith("CommandLine"):
            line.append(held)
        elif "contains" in field:
            image = f"/opt/{held}/run"
        else:
            folder = "C:\\Tools" if held.startswith("\\") else "C:/Tools" if ".ex" in held else "/usr/bin"
            image = folder + held
    fields = {"Image": image, "CommandLine": " ".join(line), "os": operating_system(image)}
    return Event(f"{'+'.join(selections)}: {selection} {value}", fields, events.now() - RECENT, recent=True)


def mixed(event: Event) -> Event:
    """The event with the letter case of its program and command line mixed."""
    fields = {name: _mixed(event.fields[name]) for name in ("Image", "CommandLine") if name in event.fields}
    return replace(event, fields={**event.fields, **fields})


def padded(event: Event) -> Event:
    """The event with a command line of over 1,024 characters in mixed letter case, its own words in the middle."""
    line = f"{PADDING}{event.fields.get('CommandLine', '')} {PADDING}"
    return mixed(replace(event, fields={**event.fields, "CommandLine": line}))


def _mixed(text: str) -> str:
    return "".join(letter.upper() if number % 2 else letter.lower() for number, letter in enumerate(text))
