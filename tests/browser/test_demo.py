"""The demo itself: how it starts, what it says, and that nothing is left of it."""

import json
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from develop import ROOT

from .demo import DemoProcess, running_demo


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "develop.demo", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_port_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = _run(f"--port={port}", f"--state={tmp_path}")
    assert result.returncode == 1
    assert f"Port {port} is taken" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--port=70000", "from 0 to 65535"),
        ("--home=castle", "invalid choice"),
        ("--speed=0", "from 1 to 600"),
        ("--speed=fast", "fast"),
        ("--start=tomorrow", "'tomorrow' is no time"),
        ("--start=1970-01-01", "from 2020"),
        ("--state=pyproject.toml", "no folder"),
    ],
)
def test_wrong_arguments(tmp_path: Path, argument: str, words: str) -> None:
    result = subprocess.run(
        [ROOT / "scripts" / "demo", f"--state={tmp_path}", argument],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    # At once: nothing was made or set up.
    assert result.stderr.startswith("usage: ")
    assert list(tmp_path.iterdir()) == []
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _end_of(pids: list[int]) -> bool:
    for _ in range(300):
        if not any(_is_running(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux only")
def test_life(tmp_path: Path) -> None:
    """Start twice, with two devices of each type; end by Ctrl-C, then by force."""
    arguments = ("--port=0", "--home=two")
    with running_demo(tmp_path, *arguments) as demo:
        members = demo.members()
        assert len(members) == 3
        second = _run(f"--state={tmp_path}", *arguments)
        assert second.returncode == 1
        assert "runs already" in second.stderr
        assert demo.end(signal.SIGINT) == 0
        assert _end_of(members)
        assert demo.log() == []

    # What was set up is still there: nothing is added again.
    with running_demo(tmp_path, *arguments) as demo:
        assert "integration" not in demo.text
        members = demo.members()
        with urlopen(f"{demo.sandbox_url}/_sandbox") as reply:
            assert json.load(reply)["accounts"][0]["home"] == "two"
        demo.process.kill()
        demo.process.wait()
        assert _end_of(members)
        assert demo.log() == []


def test_sandbox_ends(tmp_path: Path) -> None:
    """Say so, and end the rest, where one of the two ends by itself."""
    demo = DemoProcess(tmp_path, "--port=0", "--no-entry", "--home=empty")
    try:
        demo.wait_until_ready()
        _, sandbox, _ = demo.members()
        _kill(sandbox)
        assert demo.process.wait(60) == 1
        assert "The sandbox process has ended by itself" in demo.text
        assert "Traceback" not in demo.text
    finally:
        demo.make_sure_of_the_end()


def _kill(pid: int) -> None:
    subprocess.run(["kill", "-KILL", str(pid)], check=True)
