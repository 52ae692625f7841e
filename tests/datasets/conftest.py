"""A file server on loopback that misbehaves on request: stalls, cuts (also without a length), corrupts, encodes, ignores Range, changes files, refuses, redirects."""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_socket import socket_allow_hosts


@dataclass
class Server:
    """Files by path; for each path a list of ways to misbehave, one a request, before it serves well."""

    url: str = ""
    files: dict = field(default_factory=dict)
    faults: dict = field(default_factory=dict)
    seen: list = field(default_factory=list)
    ranges: bool = True
    versions: bool = True
    knows_if_range: bool = True
    tag: str = ""
    kind: str = "application/octet-stream"

    def add(self, path, content, *faults):
        self.files[path], self.faults[path] = content, list(faults)
        return f"{self.url}{path}"


def handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):  # noqa: PLR0912 - one way to misbehave after the other
            asked = self.headers.get("Range")
            server.seen.append((self.path, asked, self.headers.get("If-Range")))
            fault, value = (server.faults.get(self.path) or [("", None)])[0] or ("", None)
            if server.faults.get(self.path):
                server.faults[self.path].pop(0)
            if fault == "change":
                server.files[self.path] = value
            content = server.files.get(self.path)
            if fault == "status" or content is None:
                self.send_response(value or 404)
                if fault == "status" and value == 503:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if fault == "redirect":
                self.send_response(302)
                self.send_header("Location", value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            tag = server.tag or f'"{hashlib.md5(content).hexdigest()}"'
            start = 0
            if server.ranges and asked and (self.headers.get("If-Range", tag) == tag or not server.knows_if_range):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                first = start + (value if fault == "shift" else 0)
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Type", server.kind)
            if server.versions:
                self.send_header("ETag", tag)
            body = content[start:]
            if fault == "encoded":
                self.send_header("Content-Encoding", value)
            if fault == "chunks":
                self.send_header("Transfer-Encoding", "chunked")
            elif fault in ("no length", "cut without length"):
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if fault == "chunks":
                for piece in (body[:70_000], body[70_000:], b"")[:value]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.close_connection = True
                return
            if fault == "corrupt":
                body = bytes([body[0] ^ 1]) + body[1:]
            if fault in ("cut", "stall", "cut without length"):
                self.wfile.write(body[:value])
                self.wfile.flush()
                if fault == "stall":
                    time.sleep(1.0)
            else:
                self.wfile.write(body)
            if fault in ("cut", "stall", "no length", "cut without length"):
                self.close_connection = True

    return Handler


@pytest.fixture
def server(monkeypatch, socket_enabled):  # noqa: ARG001
    """Sockets are off in all other tests; here those of loopback are on."""
    socket_allow_hosts(["127.0.0.1"])
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    http.daemon_threads = True
    found.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    http.shutdown()
    http.server_close()
    thread.join(10)
