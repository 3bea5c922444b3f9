"""The vendors' clients, each as a function that asks one question; a client is imported when it is first needed."""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from converter.engines.live.address import Address, Unreachable
from converter.errors import UsageError

API_KEY = "SIGMAPACK_ELASTICSEARCH_API_KEY"
# Seconds that a cluster has for one answer.
TIMEOUT = 60
_JSON, _LINES = "application/json", "application/x-ndjson"
_UNAUTHORISED = {401, 403}

# Method, path, parameters, and a body: JSON, or a list that is sent as JSON lines.
Ask = Callable[[str, str, Mapping[str, str], Any], dict[str, Any]]


class Refused(Exception):  # noqa: N818 - a finding about what was asked
    """The cluster's answer to what it does not take: an error with its HTTP status."""

    def __init__(self, status: int, answer: Any) -> None:  # noqa: ANN401 - whatever JSON the cluster gives
        self.status = status
        error = answer.get("error") if isinstance(answer, Mapping) else answer
        self.error: Mapping[str, Any] = error if isinstance(error, Mapping) else {"reason": str(error)}
        super().__init__(self.reason)

    @property
    def reason(self) -> str:
        """What the cluster says is wrong: the innermost cause, without the list of all that would have been right."""
        told = next((str(cause["reason"]) for cause in _causes(self.error) if cause.get("reason")), "")
        text = " ".join(told.partition("Was expecting one of")[0].split())
        return text or str(self.error.get("type", f"HTTP {self.status}"))

    @property
    def types(self) -> set[str]:
        """The types of the error and of all its causes."""
        return {str(cause.get("type")) for cause in _causes(self.error)}


def elasticsearch(address: Address) -> Ask:
    """Asks through `elasticsearch`; raises UsageError where it is not installed."""
    package = _imported("elasticsearch")
    key = os.environ.get(API_KEY)
    options: dict[str, Any] = {"api_key": key} if key else {"basic_auth": address.account}
    if address.scheme == "https" and os.environ.get("SSL_CERT_FILE"):
        options["ca_certs"] = os.environ["SSL_CERT_FILE"]
    client = package.Elasticsearch(str(address), request_timeout=TIMEOUT, max_retries=0, **options)

    def ask(method: str, path: str, parameters: Mapping[str, str], body: Any) -> dict[str, Any]:  # noqa: ANN401
        headers = {"accept": _JSON, **({} if body is None else {"content-type": _kind(body)})}
        with _answers("elasticsearch", address):
            try:
                answer = client.perform_request(method, path, params=dict(parameters), headers=headers, body=body)
            except package.ApiError as error:
                raise Refused(error.status_code, error.body) from None
            except (package.TransportError, package.UnsupportedProductError) as error:
                raise _unanswered("elasticsearch", address, error) from None
        return dict(answer.body or {})

    return ask


def opensearch(address: Address) -> Ask:
    """Asks through `opensearch-py`; raises UsageError where it is not installed."""
    package = _imported("opensearchpy")
    host = {"host": address.host, "port": address.port, "url_prefix": address.path.strip("/")}
    options: dict[str, Any] = {"http_auth": address.account, "use_ssl": address.scheme == "https"}
    if address.scheme == "https" and os.environ.get("SSL_CERT_FILE"):
        options["ca_certs"] = os.environ["SSL_CERT_FILE"]
    client = package.OpenSearch([host], timeout=TIMEOUT, max_retries=0, **options)

    def ask(method: str, path: str, parameters: Mapping[str, str], body: Any) -> dict[str, Any]:  # noqa: ANN401
        headers = {} if body is None else {"content-type": _kind(body)}
        if isinstance(body, list):
            body = "".join(f"{json.dumps(line)}\n" for line in body)
        with _answers("opensearch", address):
            try:
                answer = client.transport.perform_request(
                    method, path, params=dict(parameters), headers=headers, body=body
                )
            except package.ConnectionError as error:
                raise _unanswered("opensearch", address, error) from None
            except package.TransportError as error:
                raise Refused(error.status_code, error.info) from None
            except package.exceptions.OpenSearchException as error:
                raise _unanswered("opensearch", address, error) from None
        return dict(answer) if isinstance(answer, Mapping) else {}

    return ask


# By the name that the command line gives it.
CLIENTS: Mapping[str, Callable[[Address], Ask]] = {"elasticsearch": elasticsearch, "opensearch": opensearch}


def _imported(name: str) -> Any:  # noqa: ANN401 - a package that need not be there
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise UsageError(
            f"the package {name.replace('hpy', 'h-py')} is missing; pip install 'sigmapack[live]'"
        ) from None


@contextmanager
def _answers(name: str, address: Address) -> Iterator[None]:
    """Raise a refusal that is no finding about what was asked as Unreachable; let the client print nothing."""
    loggers = [logging.getLogger(each) for each in ("elastic_transport", "elasticsearch", "opensearch", "urllib3")]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        with warnings.catch_warnings(action="ignore"):
            yield
    except Refused as refused:
        if refused.status in _UNAUTHORISED:
            how = f" or {API_KEY}" if name == "elasticsearch" else ""
            raise Unreachable(
                f"{name} at {address} refuses who asks ({refused.status}); "
                f"give user and password in its URL{how}, of one who may create and remove indices"
            ) from None
        raise
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _unanswered(name: str, address: Address, error: Exception) -> Unreachable:
    # The clients' own texts name the connection pool, and more than one line of it.
    reason = "in time" if "timeout" in f"{type(error).__name__} {error}".lower().replace(" ", "") else ""
    if not reason:
        told = getattr(error, "message", None) or getattr(error, "info", None) or error
        short = re.search(r"\[Errno -?\d+\] ([^)'\"]+)", str(told))
        reason = f"({short[1] if short else ' '.join(str(told).split())[:200]})"
    return Unreachable(f"{name} at {address} does not answer {reason}; start it, or give the URL of one that runs")


def _kind(body: Any) -> str:  # noqa: ANN401 - JSON
    return _LINES if isinstance(body, list) else _JSON


def _causes(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The error and what caused it, the innermost first."""
    for inner in (error.get("caused_by"), *(shard.get("reason") for shard in error.get("failed_shards", ()))):
        if isinstance(inner, Mapping):
            yield from _causes(inner)
    yield error
