"""A server that does another wrong thing at each request: the file, or a sentence."""

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import download as module
from datasets.download import BLOCK, fetch
from seqdis.errors import UserError
from tests.faults.amount import FUZZ
from tests.messages import refused

BODY = bytes(range(256)) * (3 * BLOCK // 256)
FILE = {
    "path": "a/x.bin",
    "sha256": hashlib.sha256(BODY).hexdigest(),
    "bytes": len(BODY),
    "authors": "Ann",
}
FAULTS = (
    *("good", "503", "429", "404", "500", "breaks", "wrong", "long", "short", "empty"),
    *("no range", "other range", "416", "hang up", "stall", "garbage", "to file"),
    *("to nowhere", "in circles", "no length", "compressed"),
)


class Server(http.server.ThreadingHTTPServer):
    """Does the next thing of `script`; when that is at its end, what is good."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[str] = []
        self.released = threading.Event()

    def handle_error(self, request, client_address) -> None:
        """Keep quiet about broken connections."""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass

    def redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def do_GET(self) -> None:
        script = self.server.script
        fault = script.pop(0) if script else "good"
        if fault.isdigit():
            return self.send_error(int(fault))
        if fault == "hang up":
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault == "garbage":
            return self.wfile.write(b"\0\1\2 not HTTP at all\r\n\r\n")
        if fault.startswith("to "):
            nowhere = "http://127.0.0.1:1/x.bin"
            return self.redirect("file:///etc/hostname" if "file" in fault else nowhere)
        if fault == "in circles":
            script.extend(["in circles"] if len(script) < 40 else [])
            return self.redirect(self.path + "x")
        wanted = self.headers.get("Range")
        start = 0
        if wanted and fault not in ("no range", "wrong"):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = {
            "wrong": b"?" * len(BODY),
            "long": BODY + b"x" * BLOCK,
            "short": BODY[:-7],
            "empty": b"",
        }.get(fault, BODY)
        body = body[start // 2 if fault == "other range" else start :]
        self.send_response(206 if start else 200)
        if fault != "no length":
            self.send_header("Content-Length", str(len(body)))
        if fault == "compressed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if fault in ("breaks", "stall"):
            self.wfile.write(body[: len(body) // 2])
            if fault == "stall":
                self.server.released.wait(5)
            return None
        return self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    patch = pytest.MonkeyPatch()
    patch.setenv("NO_PROXY", "127.0.0.1")
    patch.setattr(module, "PATIENCE", (2, 0.2))
    running = Server()
    serve = {"poll_interval": 0.01}
    thread = threading.Thread(target=running.serve_forever, kwargs=serve)
    thread.start()
    yield running
    running.released.set()
    running.shutdown()
    thread.join()
    running.server_close()
    patch.undo()


@settings(max_examples=80 * FUZZ, deadline=None)
@given(
    script=st.lists(st.sampled_from(FAULTS), max_size=8),
    part=st.none() | st.binary(max_size=50) | st.integers(0, len(BODY)),
)
def test_any_faults_end_in_the_file_or_a_sentence(server: Server, script, part):
    server.script = [*script]
    with TemporaryDirectory() as folder:
        target = Path(folder, "a", "x.bin")
        if part is not None:  # of an earlier run
            target.parent.mkdir()
            before = BODY[:part] if isinstance(part, int) else part
            target.with_name("x.bin.part").write_bytes(before)
        url = f"http://127.0.0.1:{server.server_port}/x.bin"
        try:
            fetch(FILE, [url], target, attempts=4, wait=0.001)
        except UserError as error:
            assert url in str(error) and script
            assert not target.exists()
            # The next run, with a server that is well again, goes on from there.
            server.script = []
            with pytest.MonkeyPatch.context() as patch:
                # A busy machine may take longer to answer than a server that stalls.
                patch.setattr(module, "PATIENCE", (10, 10))
                fetch(FILE, [url], target, attempts=2, wait=0.001)
        assert target.read_bytes() == BODY
        assert [p.name for p in target.parent.iterdir()] == ["x.bin"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_always_does_it_is_named(server: Server, tmp_path: Path, fault):
    target = tmp_path / "x.bin"
    url = f"http://127.0.0.1:{server.server_port}/x.bin"
    server.script = [fault] * 200
    harmless = {"good", "no range", "other range", "no length"}
    if fault in harmless:
        return fetch(FILE, [url], target, attempts=3, wait=0.001)
    with refused(FILE["path"], url):
        fetch(FILE, [url], target, attempts=3, wait=0.001)
    assert not target.exists()
    return None
