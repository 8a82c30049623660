"""A line between a browser and the site that a test can cut, and that loses answers: the request arrives and is done,
its answer does not come back."""

import contextlib
import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

DROPPED_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Line:
    """`with Line(site.url) as line:` then ask `line.url`; `line.up`, `line.loses(path)`, `line.rewrite`."""

    def __init__(self, site_url: str) -> None:
        self.site = urlsplit(site_url).netloc
        self.up = True
        self.loses: Callable[[str], bool] = lambda path: False
        self.rewrite: dict[str, list[tuple[str, str]]] = {}  # end of an address -> what to put for what in its answer
        self.passed: list[str] = []
        self.lost: list[str] = []
        line = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def pass_on(self) -> None:
                line._pass_on(self)

            do_GET = do_POST = do_HEAD = pass_on

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        asked.close_connection = True
        if not self.up:
            return
        path = asked.path.partition("?")[0]
        length = int(asked.headers.get("Content-Length") or 0)
        body = asked.rfile.read(length) if length else None
        onward = http.client.HTTPConnection(self.site, timeout=30)
        try:
            onward.request(asked.command, asked.path, body, dict(asked.headers.items()))
            answer = onward.getresponse()
            content = answer.read()
        except OSError:
            return
        finally:
            onward.close()
        if not self.up or self.loses(path):
            self.lost.append(path)
            return
        self.passed.append(path)
        for end, pairs in self.rewrite.items():
            for old, new in pairs if answer.status == 200 and path.endswith(end) else ():
                assert old.encode() in content, f"{old} is not in {path}"
                content = content.replace(old.encode(), new.encode())
        with contextlib.suppress(OSError):
            asked.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in DROPPED_HEADERS:
                    asked.send_header(name, value)
            asked.send_header("Content-Length", str(len(content)))
            asked.end_headers()
            if asked.command != "HEAD":
                asked.wfile.write(content)
