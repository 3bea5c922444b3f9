"""The table of forms: how a value of an event stands in a vendor's column.

A form takes the value of the Sigma field (None: absent), the whole event, and what the schema tells it; it gives the
cell, or None for none, and raises Unwritable for a value that no such event can have.
"""

from __future__ import annotations

from collections.abc import Mapping

from converter.schemas.forms import common, elastic, elastic_events, elastic_registry
from converter.schemas.forms.form import Cell, Event, Form, Unwritable

FORMS: Mapping[str, Form] = {
    "same": common.same,
    "filled": common.filled,
    "integer": common.integer,
    "base_name": common.base_name,
    "before_backslash": common.before_backslash,
    "after_backslash": common.after_backslash,
    "digest": common.digest,
    "account_domain": elastic.account_domain,
    "account_name": elastic.account_name,
    "words": elastic.words,
    "hexadecimal": elastic.hexadecimal,
    "address": elastic.address,
    "host_label": elastic.host_label,
    "after_slash": elastic.after_slash,
    "defend_path": elastic_registry.defend_path,
    "defend_strings": elastic_registry.defend_strings,
    "defend_type": elastic_registry.defend_type,
    "kept": elastic_events.kept,
    "kept_digest": elastic_events.kept_digest,
    "last_name": elastic_events.last_name,
    "last_token": elastic_events.last_token,
    "sysmon_strings": elastic_events.sysmon_strings,
    "sysmon_type": elastic_events.sysmon_type,
    "trimmed": elastic_events.trimmed,
    "by_event": elastic_events.by_event,
    "number_by_event": elastic_events.number_by_event,
    "address_by_event": elastic_events.address_by_event,
    "parts_by_event": elastic_events.parts_by_event,
    "access_codes": elastic_events.access_codes,
}

__all__ = ["FORMS", "Cell", "Event", "Form", "Unwritable"]
