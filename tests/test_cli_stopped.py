"""Runs in several processes that are stopped: they end at once, say one line, and leave no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import rule

BOUND = 20
# After the first worker is there: they read rules then, and convert them after that.
DELAYS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
pytestmark = pytest.mark.skipif(not CHILDREN.exists(), reason="asks /proc for the workers")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped") / "rules"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}.yml").write_text(rule(number))
    return folder


def started(rules: Path, *more: str, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """A run in a group of processes of its own, which hears of Ctrl-C as one at a terminal does."""
    command = [sys.executable, "-m", "converter", "convert", "--no-cache", "-j", "2", *more, str(rules)]
    return subprocess.Popen(
        command,
        cwd=rules.parent,
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def workers(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that the run has started, as soon as there are any."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        assert process.poll() is None
        time.sleep(0.002)
    return [int(worker) for worker in found]


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """How the run ended and what it said; the whole group is gone by then."""
    try:
        _, stderr = process.communicate(timeout=BOUND)
        wait_for_none(process.pid)
    finally:
        if lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, stderr


def wait_for_none(group: int) -> None:
    until = time.monotonic() + BOUND
    while lives(group):
        assert time.monotonic() < until, "a process outlives its command"
        time.sleep(0.01)


def lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("to_all", [False, True])
@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        (signal.SIGINT, 130, {b"\nsigmapack: interrupted\n", b"sigmapack: interrupted\n"}),
        (signal.SIGTERM, 143, {b""}),
    ],
)
def test_a_run_that_is_stopped_ends_with_all_its_processes(  # noqa: PLR0913, PLR0917 - what varies
    rules: Path,
    tmp_path: Path,
    sent: signal.Signals,
    code: int,
    said: set[bytes],
    delay: float,
    to_all: bool,  # noqa: FBT001
) -> None:
    process = started(rules, "-o", str(tmp_path / "out"))
    workers(process)
    time.sleep(delay)
    if to_all:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    found = ended(process)
    assert found[0] == code
    assert found[1] in said


def test_a_reader_that_goes_away_ends_the_run(rules: Path) -> None:
    for _ in range(5):
        process = started(rules, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert ended(process) == (141, b"")


def test_a_worker_that_somebody_kills_is_one_line(rules: Path, tmp_path: Path) -> None:
    process = started(rules, "-o", str(tmp_path / "out"))
    os.kill(workers(process)[0], signal.SIGKILL)
    assert ended(process) == (
        2,
        b"sigmapack: a worker process was killed; run it again, with -j 1 if memory is short\n",
    )
