"""A door before the engine that counts which AWS operations are called through it."""

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Door:
    """Passes every request on as it is; `operations` counts those of the JSON protocols by their name."""

    def __init__(self, url: str) -> None:
        self.operations: Counter[str] = Counter()
        self._engine = urlsplit(url).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The endpoint URL of the door."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target = self.headers.get("X-Amz-Target", "")
                door.operations[target.rpartition(".")[2]] += 1
                # The host that was signed for is this one; the engine checks the signature of the headers as they came.
                engine = http.client.HTTPConnection(door._engine, timeout=60)
                engine.request("POST", self.path, body, dict(self.headers.items()))
                answer = engine.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "content-length", "connection", "date", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                engine.close()

            def log_message(self, format: str, *arguments: object) -> None:
                return None

        return Handler

    @contextlib.contextmanager
    def open(self) -> Iterator["Door"]:
        """Let requests through while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
