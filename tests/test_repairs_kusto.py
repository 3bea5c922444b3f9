"""Each repair of the Kusto backend: an event that the stock query loses or invents, and that ours does not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

import duckdb
import duckdb_kql
import pytest

from converter.convert import Query, Refusal
from converter.targets.kusto.repairs import REPAIRS
from converter.targets.kusto.values import LONGEST_CHAIN
from tests.repair_cases import Case, named, ours, stock, uncovered

REGISTRY = {"category": "registry_set", "product": "windows"}
NETWORK = {"category": "network_connection", "product": "windows"}
XDR = "microsoft_xdr"
# The columns that the queries below name, in the types of Microsoft's pages of the tables.
TABLES: Mapping[str, Mapping[str, str]] = {
    "DeviceProcessEvents": {
        "ActionType": "VARCHAR",
        "FolderPath": "VARCHAR",
        "ProcessCommandLine": "VARCHAR",
        "ProcessId": "BIGINT",
    },
    "DeviceRegistryEvents": {
        "ActionType": "VARCHAR",
        "RegistryKey": "VARCHAR",
        "RegistryValueName": "VARCHAR",
        "RegistryValueData": "VARCHAR",
        "RegistryValueType": "VARCHAR",
        "PreviousRegistryKey": "VARCHAR",
        "PreviousRegistryValueName": "VARCHAR",
    },
    "DeviceNetworkEvents": {
        "ActionType": "VARCHAR",
        "InitiatingProcessFolderPath": "VARCHAR",
        "LocalIP": "VARCHAR",
        "RemoteIP": "VARCHAR",
    },
}
HEXADECIMAL = re.compile(r"tohex\(tolong\(RegistryValueData\), (\d+)\)")
AGAINST_NUMBER = re.compile(r"(\w+) == \d")
RANGE = re.compile(r'(ipv[46])_is_in_range\(\w+, "([^"]*)"\)')


def command(line: str, pid: int = 1) -> dict[str, Any]:
    """A row of a process."""
    return {"ActionType": "ProcessCreated", "ProcessCommandLine": line, "ProcessId": pid}


def value_set(key: str, name: str, data: str = "", kind: str = "String") -> dict[str, Any]:
    """A row of a registry value that is set."""
    names = ("RegistryKey", "RegistryValueName", "RegistryValueData", "RegistryValueType")
    return {"ActionType": "RegistryValueSet"} | dict(zip(names, (key, name, data, kind), strict=True))


CASES = [
    Case("K1", {"s": {"CommandLine": None}}, command("")),
    Case(
        "K2",
        {"s": {"TargetObject|contains": "\\CurrentVersion\\Run\\"}},
        value_set(r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", "x"),
        logsource=REGISTRY,
    ),
    Case("K3", {"s": {"CommandLine": ["*a*b", "*c*d"]}}, command("b a"), found=False),
    Case("K3", {"s": {"CommandLine": ["*a*b", "*c*d"]}}, command("x ab y"), found=False),
    Case("K4", {"s": {"CommandLine": "a*b*"}}, command("xa b"), found=False),
    Case("K4", {"s": {"CommandLine": "a*b*c"}}, command("A\nB\nC")),
    Case("K5", {"s": {"ProcessId": "4"}}, command("x", 4)),
    Case("K5", {"s": {"ProcessId": ["4", "5"]}}, command("x", 5)),
    Case("K6", {"s": {"CommandLine": 9}}, command("9")),
    Case(
        "K7",
        {"s": {"DestinationIp|cidr": "fe80::/10"}},
        {"ActionType": "ConnectionSuccess", "RemoteIP": "fe80::1"},
        logsource=NETWORK,
    ),
    Case(
        "K7",
        {"s": {"Image|endswith": "x"}, "f": {"DestinationIp|cidr": "10.0.0.0/8"}, "condition": "s and not f"},
        {"ActionType": "ConnectionSuccess", "RemoteIP": "fe80::1", "InitiatingProcessFolderPath": "x"},
        logsource=NETWORK,
    ),
    Case("K8", {"s": {"CommandLine|contains": ["a:\\\\\\*.*b", "c:\\\\\\*.*d"]}}, command(r"a:\*.exe b")),
    Case("K9", {"s": ["whoami"]}, command("whoami")),
    Case("K10", {"s": {"CommandLine|contains": [f"part{number}" for number in range(1500)]}}, command("part7")),
    Case("K12", {"s": {"CommandLine|all": ["whoami", "WHOAMI"]}}, command("whoami /all"), found=False),
    Case("K12", {"s": {"CommandLine|cased": "WhoAmI"}}, command("WhoAmI")),
    Case("K13", {"s": {"CommandLine": ["a?b", "c?d"]}}, command("a12b"), found=False),
    Case("K13", {"s": {"CommandLine": ["a?b", "c?d"]}, "condition": "not s"}, command("a12b")),
    Case(
        "K16",
        {"s": {"TargetObject|endswith": "\\Run\\Evil"}},
        value_set(r"HKEY_LOCAL_MACHINE\SOFTWARE\Run", "Evil"),
        logsource=REGISTRY,
    ),
    Case(
        "K16",
        {"s": {"Details": "DWORD (0x00000001)"}},
        value_set(r"HKEY_LOCAL_MACHINE\SOFTWARE\X", "On", "1", "Dword"),
        logsource=REGISTRY,
    ),
    Case(
        "K16",
        {"s": {"TargetObject|startswith": "HKLM\\SYSTEM\\CurrentControlSet\\Services"}},
        value_set(r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\X", "Start"),
        logsource=REGISTRY,
    ),
]
# Repairs that no query shows, with the test that does.
ELSEWHERE = {
    "K11": "test_a_rule_of_which_nothing_is_left_is_refused",
    "K14": "test_correlations_are_refused",
    "K15": "test_sentinel_has_the_original_file_name",
}


def finds(case: Case, text: str) -> bool | None:
    """Whether a query finds the case's row; None where the engine takes it for no query at all."""
    table = text.split("\n", 1)[0].strip()
    connection = duckdb_kql.connect()
    columns = TABLES[table]
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    row = [case.event.get(name, "" if kind == "VARCHAR" else None) for name, kind in columns.items()]
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - marks only
    if any(columns.get(name) == "VARCHAR" for name in AGAINST_NUMBER.findall(text)):
        # https://learn.microsoft.com/kusto/query/datatypes-string-operators: no == joins text and number.
        return None
    try:
        return bool(duckdb_kql.query(connection, _ranges(_hexadecimal(text, case), case)).fetchall())
    except (duckdb_kql.KqlError, duckdb.Error, RecursionError):
        return None


def _hexadecimal(text: str, case: Case) -> str:
    """The query with the digits of the row's number in the place of tohex, which the engine lacks."""
    held = str(case.event.get("RegistryValueData", ""))
    number = int(held) if held.isdigit() else 0
    return HEXADECIMAL.sub(lambda found: f'"{number:0{found[1]}x}"', text)


def _ranges(text: str, case: Case) -> str:
    """The query with the answer of each range in its place, null for what is no address of the kind.

    https://learn.microsoft.com/kusto/query/ipv4-is-in-range-function and its counterpart for IPv6.
    """

    def answer(found: re.Match[str]) -> str:
        address, block = ipaddress.ip_address(str(case.event["RemoteIP"])), ipaddress.ip_network(found[2])
        if found[1] == "ipv4" and (address.version, block.version) != (4, 4):
            return 'tobool("")'
        return str(address in block).lower()

    return RANGE.sub(answer, text)


@pytest.mark.parametrize("case", named(CASES))
def test_the_stock_query_is_wrong(case: Case) -> None:
    text = stock(Case(**{**vars(case), "pipeline": XDR}), "kusto")
    assert text is None or finds(case, text) is not case.found


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_right_and_names_the_repair(case: Case) -> None:
    query = ours(case, "kusto")
    if case.id == "K9":
        assert isinstance(query, Refusal)
        return
    assert isinstance(query, Query), query
    assert case.id in query.repairs
    assert finds(case, query.text) is case.found


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_wrong_again_without_the_repair(case: Case) -> None:
    query = ours(case, "kusto", case.id)
    assert isinstance(query, Refusal) or finds(case, query.text) is not case.found


@pytest.mark.parametrize("case", named([case for case in CASES if case.id == "K10"]))
def test_no_chain_is_longer_than_the_service_takes(case: Case) -> None:
    query = ours(case, "kusto")
    assert isinstance(query, Query)
    assert max(group.count(" or ") for group in re.findall(r"\(([^()]*)\)", query.text)) < LONGEST_CHAIN


def test_a_rule_of_which_nothing_is_left_is_refused() -> None:
    """Sysmon's own block of a file: the stock pipeline drops its only field, and its text is empty."""
    detection = {"s": {"EventID": 27}}
    case = Case("K11", detection, {}, logsource={"product": "windows", "service": "sysmon"}, pipeline=XDR)
    assert stock(case, "kusto") is None
    assert isinstance(ours(case, "kusto"), Refusal)


def test_correlations_are_refused() -> None:
    correlation = {"type": "event_count", "rules": ["x"], "timespan": "5m", "condition": {"gte": 2}}
    case = Case("K14", {}, {}, more={"correlation": correlation}, pipeline=XDR)
    outcome = ours(case, "kusto")
    assert isinstance(outcome, Refusal)
    assert "correlation" in outcome.reason


def test_sentinel_has_the_original_file_name() -> None:
    case = Case("K15", {"s": {"OriginalFileName": "x.exe"}}, {}, pipeline="sentinel_asim")
    # The pipeline refuses the column that it has made itself.
    assert stock(case, "kusto") is None
    query = ours(case, "sentinel")
    assert isinstance(query, Query)
    assert "ProcessVersionInfoOriginalFileName" in query.text


def test_every_repair_has_a_case() -> None:
    assert uncovered(REPAIRS, CASES, ELSEWHERE) == set()
    assert all(name in globals() for name in ELSEWHERE.values())
    assert {name for name, repair in REPAIRS.items() if repair.inseparable} == ELSEWHERE.keys()
