import errno
import hashlib
import http.server
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets import download as module
from datasets.download import BLOCK, download, fetch, read_table
from tests.messages import names, numbers, refused

BODY = bytes(range(256)) * 400
BREAK = 50_000
FILE = {
    "path": "a/x.bin",
    "sha256": hashlib.sha256(BODY).hexdigest(),
    "bytes": len(BODY),
    "authors": "Ann",
}


class Server(http.server.ThreadingHTTPServer):
    """Answers by the first word of the path; counts and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: dict[str, list[str | None]] = defaultdict(list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address) -> None:
        """Keep quiet about connections which a test broke off."""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        word = self.path.split("/")[1]
        asked = self.server.asked[self.path]
        asked.append(self.headers.get("Range"))
        start = 0
        if word == "busy" and len(asked) == 1:
            self.send_error(503)
            return
        if word == "file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        if word == "moved":
            self.send_response(302)
            self.send_header("Location", "/good" + self.path.removeprefix("/moved"))
            self.end_headers()
            return
        if word == "gone":
            self.send_error(404)
            return
        body = b"?" * len(BODY) if word == "wrong" else BODY
        if word == "long":
            body = BODY + b"x"
        if word != "old" and asked[-1]:
            start = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        broken = word in ("breaks", "old") and len(asked) == 1
        self.wfile.write(body[start : BREAK if broken else None])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SEQDIS_MIRROR", raising=False)
    running = Server()
    thread = threading.Thread(
        target=running.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def get(server: Server, target: Path, *words: str, attempts: int = 3) -> None:
    places = [f"{server.url}/{word}/x.bin" for word in words]
    fetch(FILE, places, target, attempts=attempts, wait=0.01)


def reason(problem, server: Server, word: str, file: str = "x.bin") -> str:
    """Return what went wrong at one place."""
    said = str(problem.value).split(f"{server.url}/{word}/{file}: ")[1]
    return said.splitlines()[0]


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("word", ["good", "busy", "moved", "breaks", "old"])
def test_a_file_arrives_whole(server: Server, tmp_path: Path, word: str):
    get(server, tmp_path / "x.bin", word)
    assert (tmp_path / "x.bin").read_bytes() == BODY
    assert files_in(tmp_path) == ["x.bin"]


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path):
    get(server, tmp_path / "x.bin", "busy")
    assert server.asked["/busy/x.bin"] == [None, None]


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path):
    get(server, tmp_path / "x.bin", "breaks")
    first, second = server.asked["/breaks/x.bin"]
    assert first is None
    assert second == f"bytes={BREAK // BLOCK * BLOCK}-"


def test_a_part_of_an_earlier_run_is_used(server: Server, tmp_path: Path):
    (tmp_path / "x.bin.part").write_bytes(BODY[:1000])
    get(server, tmp_path / "x.bin", "good")
    assert server.asked["/good/x.bin"] == ["bytes=1000-"]
    assert (tmp_path / "x.bin").read_bytes() == BODY


def test_a_part_of_another_file_is_thrown_away(server: Server, tmp_path: Path):
    (tmp_path / "x.bin.part").write_bytes(b"junk" * 10)
    get(server, tmp_path / "x.bin", "good")
    assert server.asked["/good/x.bin"] == ["bytes=40-", None]
    assert (tmp_path / "x.bin").read_bytes() == BODY


def test_a_cut_file_is_not_kept_under_its_name(server: Server, tmp_path: Path):
    with refused() as problem:
        get(server, tmp_path / "x.bin", "breaks", attempts=1)
    names(reason(problem, server, "breaks"), "IncompleteRead")
    assert files_in(tmp_path) == ["x.bin.part"]
    assert BODY.startswith((tmp_path / "x.bin.part").read_bytes())


def test_wrong_bytes_are_named_and_never_kept(server: Server, tmp_path: Path):
    with refused() as problem:
        get(server, tmp_path / "x.bin", "wrong")
    found = hashlib.sha256(b"?" * len(BODY)).hexdigest()
    names(reason(problem, server, "wrong"), "sha256", FILE["sha256"], found)
    assert files_in(tmp_path) == []


def test_a_longer_file_is_refused(server: Server, tmp_path: Path):
    with refused() as problem:
        get(server, tmp_path / "x.bin", "long")
    assert numbers(reason(problem, server, "long")) == [len(BODY)]
    assert len(server.asked["/long/x.bin"]) == 1
    assert files_in(tmp_path) == []


def test_a_redirect_out_of_the_web_is_refused(server: Server, tmp_path: Path):
    with refused() as problem:
        get(server, tmp_path / "x.bin", "file")
    names(reason(problem, server, "file"), "http")
    assert len(server.asked["/file/x.bin"]) == 1
    assert files_in(tmp_path) == []


def test_the_next_place_is_tried_and_all_are_named(server: Server, tmp_path: Path):
    get(server, tmp_path / "x.bin", "gone", "wrong", "good")
    assert (tmp_path / "x.bin").read_bytes() == BODY
    with refused("a/x.bin", "mirror:", "SEQDIS_MIRROR") as problem:
        get(server, tmp_path / "y.bin", "gone", "wrong")
    names(reason(problem, server, "gone"), 404)
    names(reason(problem, server, "wrong"), "sha256")
    assert len(server.asked["/gone/x.bin"]) == 2  # a 404 is not tried again


def test_a_server_which_is_down_is_tried_again_then_named(
    server: Server, tmp_path: Path
):
    address = "http://127.0.0.1:1/x.bin"
    with refused(address, "ConnectionError"):
        fetch(FILE, [address], tmp_path / "x.bin", attempts=2, wait=0.01)
    assert files_in(tmp_path) == []


def test_a_file_which_is_right_is_not_fetched_again(server: Server, tmp_path: Path):
    (tmp_path / "x.bin").write_bytes(BODY)
    get(server, tmp_path / "x.bin", "good")
    assert not server.asked
    (tmp_path / "x.bin").write_bytes(BODY[:-1] + b"!")
    get(server, tmp_path / "x.bin", "good")
    assert (tmp_path / "x.bin").read_bytes() == BODY


def test_a_full_disk_leaves_no_part(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = Path.open

    class Full:
        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *args) -> None:
            self.file.close()

        def __getattr__(self, name: str):
            return getattr(self.file, name)

        def write(self, data: bytes) -> int:
            self.file.write(data[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(self: Path, mode: str = "r", *args, **kwargs):
        file = real(self, mode, *args, **kwargs)
        return Full(file) if self.suffix == ".part" and mode == "wb" else file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError) as problem:
        get(server, tmp_path / "x.bin", "good")
    assert problem.value.errno == errno.ENOSPC
    assert problem.value.filename == str(tmp_path / "x.bin")
    assert files_in(tmp_path) == []


def table(server: Server) -> dict:
    return {
        "things": {
            "homepage": "http://example.org",
            "licence": "free",
            "credits": ["by us"],
            "urls": [server.url + "/good/{path}"],
            "files": [FILE, FILE | {"path": "y.bin"}],
        }
    }


def test_a_collection_comes_with_its_manifest(server: Server, tmp_path: Path):
    manifest = download("things", tmp_path, table=table(server), wait=0.01)
    assert files_in(tmp_path) == ["a/x.bin", "manifest.json", "y.bin"]
    assert manifest["source"] == "original"
    assert manifest["files"][0] == {
        "path": "a/x.bin",
        "sha256": FILE["sha256"],
        "url": f"{server.url}/good/a/x.bin",
        "authors": "Ann",
    }
    assert manifest["private"] is False


def test_a_collection_may_name_authors_once_and_be_private(
    server: Server, tmp_path: Path
):
    public = table(server)
    files = [{key: FILE[key] for key in ("path", "sha256", "bytes")}]
    public["things"] |= {"files": files, "authors": "Bob", "private": True}
    manifest = download("things", tmp_path, table=public, wait=0.01)
    assert manifest["files"][0]["authors"] == "Bob"
    assert manifest["private"] is True


def test_signs_of_a_path_are_escaped_on_the_web(server: Server, tmp_path: Path):
    public = table(server)
    public["things"]["files"] = [FILE | {"path": "a+5 b.bin"}]
    download("things", tmp_path / "out", table=public, wait=0.01)
    download("things", tmp_path / "b", f"{server.url}/mirror", public, wait=0.01)
    assert set(server.asked) == {"/good/a%2B5%20b.bin", "/mirror/things/a%2B5%20b.bin"}
    kept = tmp_path / "mirror/things/a+5 b.bin"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(BODY)
    server.asked.clear()
    download("things", tmp_path / "c", str(tmp_path / "mirror"), public, wait=0.01)
    assert not server.asked


@pytest.mark.parametrize("kind", ["folder", "url"])
def test_a_mirror_is_searched_first(server: Server, tmp_path: Path, kind: str):
    files = tmp_path / "mirror" / "things"
    for path in ("a/x.bin", "y.bin"):
        (files / path).parent.mkdir(parents=True, exist_ok=True)
        (files / path).write_bytes(BODY)
    mirror = str(files.parent) if kind == "folder" else f"{server.url}/mirror"
    download("things", tmp_path / "out", mirror=mirror, table=table(server), wait=0.01)
    assert (tmp_path / "out/y.bin").read_bytes() == BODY
    expected = {"/mirror/things/a/x.bin", "/mirror/things/y.bin"}
    assert set(server.asked) == (expected if kind == "url" else set())


def test_a_wrong_file_in_the_mirror_falls_back(server: Server, tmp_path: Path):
    (tmp_path / "mirror/things").mkdir(parents=True)
    (tmp_path / "mirror/things/y.bin").write_bytes(b"junk")
    mirror = str(tmp_path / "mirror")
    download("things", tmp_path / "out", mirror=mirror, table=table(server), wait=0.01)
    assert (tmp_path / "out/y.bin").read_bytes() == BODY


def test_public_paths_and_mirrors_may_differ(server: Server, tmp_path: Path):
    public = table(server)
    public["things"]["mirror"] = "kept/here"
    public["things"]["files"] = [FILE | {"path": "y.bin", "at": "there/z.bin"}]
    manifest = download("things", tmp_path / "a", table=public, wait=0.01)
    assert manifest["files"][0]["url"] == f"{server.url}/good/there/z.bin"
    assert set(server.asked) == {"/good/there/z.bin"}
    kept = tmp_path / "mirror/kept/here/y.bin"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(BODY)
    server.asked.clear()
    download("things", tmp_path / "b", str(tmp_path / "mirror"), public, wait=0.01)
    assert (tmp_path / "b/y.bin").read_bytes() == BODY
    assert not server.asked


def test_an_archive_without_a_published_checksum_must_be_whole(
    server: Server, tmp_path: Path
):
    file = {"path": "s1.zip", "bytes": None, "authors": "Ann"}
    with refused("s1.zip") as problem:
        fetch(file, [server.url + "/good/s1.zip"], tmp_path / "s1.zip", 2, 0.01)
    names(reason(problem, server, "good", "s1.zip"), "zip")
    assert files_in(tmp_path) == []
    with zipfile.ZipFile(tmp_path / "mirror.zip", "w") as archive:
        archive.writestr("s1/a.mpg", BODY)
    fetch(file, [str(tmp_path / "mirror.zip")], tmp_path / "s1.zip")
    assert zipfile.ZipFile(tmp_path / "s1.zip").namelist() == ["s1/a.mpg"]


def test_the_environment_names_a_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Path
):
    out = str(tmp_path / "out")
    monkeypatch.setenv("SEQDIS_MIRROR", str(mirror))
    monkeypatch.setattr("sys.argv", ["download", "lpc", "--out", out])
    module.main()
    assert len(files_in(tmp_path / "out")) == 34


def test_the_mirror_holds_what_the_table_asks_for(mirror: Path):
    table = read_table()
    photos = ("sign_digits", "yale_b", "cmu_faces")
    for collection in ("lpc", "mnist", "grid_samples", "yunet", *photos):
        folder = mirror / table[collection].get("mirror", collection)
        for file in table[collection]["files"]:
            data = (folder / file["path"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"], file["path"]
            assert len(data) == file["bytes"]


def test_every_file_of_the_table_has_a_checksum_and_authors():
    for entry in read_table().values():
        assert entry["licence"] and entry["credits"] and entry["urls"]
        assert all(url.startswith("http") and "{path}" in url for url in entry["urls"])
        for file in entry["files"]:
            sizes = len(file.get("sha256", "")), len(file.get("md5", ""))
            # Of GRID's archives no checksum is known; their members have their own.
            archive = file["path"].endswith(".zip") and sizes == (0, 0)
            assert sizes in ((64, 0), (0, 32)) or archive
            assert file.get("authors") or entry["authors"]
