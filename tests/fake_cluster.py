"""A server that speaks as much of a cluster's HTTP as a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = tuple[int, object]


@dataclass(frozen=True)
class Question:
    """One request: method, path without parameters, headers in lower case, and the lines of its body."""

    method: str
    path: str
    headers: dict[str, str]
    lines: list[Any]


@dataclass
class Cluster:
    """The server: its URL, what it says, and what it was asked so far."""

    says: Callable[[Question], Answer]
    port: int = 0
    asked: list[Question] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


def well(question: Question) -> Answer:
    """What a cluster says that takes everything and finds nothing."""
    if question.path.endswith("/_bulk"):
        rows = len(question.lines) // 2
        return 200, {"errors": False, "items": [{"index": {"status": 201}}] * rows}
    if question.path.endswith("/_search"):
        return 200, {"hits": {"hits": []}}
    return 200, {"acknowledged": True}


@contextmanager
def cluster(says: Callable[[Question], Answer] = well) -> Iterator[Cluster]:
    """A server on this machine that says this, until the end of the block."""
    made = Cluster(says)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            lines = [json.loads(line) for line in text.splitlines() if line]
            headers = {name.lower(): value for name, value in self.headers.items()}
            question = Question(self.command, self.path.partition("?")[0], headers, lines)
            made.asked.append(question)
            status, told = made.says(question)
            body = json.dumps(told).encode()
            self.send_response(status)
            # The client of Elasticsearch takes no other cluster.
            for name, value in {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
