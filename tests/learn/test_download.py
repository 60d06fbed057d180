from __future__ import annotations

import hashlib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from napari_cellstage.learn.download import DownloadError, download

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]


class Site(BaseHTTPRequestHandler):
    """Sends the content whole, cut short, or never; and a page that is not there."""

    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if "hanging" in self.path:
            self.server.release.wait(20)  # type: ignore[attr-defined]
            return
        self.wfile.write(CONTENT[: 1000 if "short" in self.path else None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.release = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.release.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def never() -> bool:
    return False


def test_a_whole_file_arrives_with_progress(site: str, tmp_path: Path, run):
    file = tmp_path / "cache" / "net.pth"
    events, _ = run(download(f"{site}/net-{DIGEST}.pth", file, "downloading", never))
    assert file.read_bytes() == CONTENT
    assert (events[-1].what, events[-1].done, events[-1].total) == ("downloading", len(CONTENT), len(CONTENT))
    assert [f.name for f in file.parent.iterdir()] == ["net.pth"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (f"short-{DIGEST}.pth", "broke off after 1000 of 10240 bytes"),
        ("other-00000000.pth", "what came is not the file that was asked for"),
        ("missing.pth", "no download: Not Found"),
    ],
)
def test_a_download_that_fails_leaves_nothing(site: str, tmp_path: Path, run, page: str, text: str):
    with pytest.raises(DownloadError, match=text):
        run(download(f"{site}/{page}", tmp_path / "net.pth", "downloading", never))
    assert list(tmp_path.iterdir()) == []


def test_no_network(tmp_path: Path, run):
    with pytest.raises(DownloadError, match=r"no download: .*refused"):
        run(download("http://127.0.0.1:9/net.pth", tmp_path / "net.pth", "downloading", never))


def test_no_network_at_all_is_said_in_plain_words(tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch):
    def unreachable(*_args: object, **_kwargs: object) -> None:
        raise urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    with pytest.raises(DownloadError, match=r"^there is no network connection$"):
        run(download("http://somewhere/net.pth", tmp_path / "net.pth", "downloading", never))


def test_a_stop_is_heard_while_no_bytes_come(site: str, tmp_path: Path, run):
    asked = iter([False, False, True])
    with pytest.raises(DownloadError, match=r"was stopped"):
        run(download(f"{site}/hanging.pth", tmp_path / "net.pth", "downloading", lambda: next(asked)))
    assert not (tmp_path / "net.pth").exists()
