"""The table of forms: how a value of an event stands in a vendor's column.

A form takes the value of the Sigma field (None: absent), the whole event, and what the schema tells it; it gives the
cell, or None for none, and raises Unwritable for a value that no such event can have.
"""

from __future__ import annotations

from collections.abc import Mapping

from converter.schemas.forms import common, elastic, elastic_events, elastic_registry, microsoft, registry, splunk
from converter.schemas.forms.form import Cell, Event, Form, Unwritable

FORMS: Mapping[str, Form] = {
    "same": common.same,
    "filled": common.filled,
    "decimal": common.decimal,
    "integer": common.integer,
    "base_name": common.base_name,
    "before_backslash": common.before_backslash,
    "after_backslash": common.after_backslash,
    "digest": common.digest,
    "text": splunk.text,
    "lower": splunk.lower,
    "hexadecimal": splunk.hexadecimal,
    "mandatory_label": splunk.mandatory_label,
    "parenthesised": splunk.parenthesised,
    "subject_domain": splunk.subject_domain,
    "subject_name": splunk.subject_name,
    "subject_sid": splunk.subject_sid,
    "account": microsoft.account,
    "account_domain": microsoft.account_domain,
    "local_account": microsoft.local_account,
    "resource": microsoft.resource,
    "folder": microsoft.folder,
    "address": microsoft.address,
    "family": microsoft.family,
    "port": microsoft.port,
    "web_address": microsoft.web_address,
    "capital": microsoft.capital,
    "named": microsoft.named,
    "registry_path": registry.registry_path,
    "registry_key": registry.registry_key,
    "registry_value_name": registry.registry_value_name,
    "registry_data": registry.registry_data,
    "registry_type": registry.registry_type,
    "unsaid": registry.unsaid,
    "ecs_account_domain": elastic.account_domain,
    "account_name": elastic.account_name,
    "words": elastic.words,
    "ecs_hexadecimal": elastic.hexadecimal,
    "ecs_address": elastic.address,
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

# Forms that give nothing for an absent field, whatever else the event says.
PLAIN = frozenset({"same", "filled", "text", "kept", "digest", "kept_digest", "decimal", "integer", "base_name"})

__all__ = ["FORMS", "PLAIN", "Cell", "Event", "Form", "Unwritable"]
