"""An API that answers as a test says, and remembers what it was asked."""

import http.server
import json
import threading

import milepost


class FakeApi:
    """
    `answers` are statuses, (status, headers) or (status, headers, body), or functions that return one; one a report, then 200.
    A create is always 200, with the headers in `create_headers`.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        #: The reports: their Idempotency-Key and body, every attempt.
        self.reports = []
        self.create_headers = {}
        self.job = {"job_id": "job_1", "status": "in_progress", "started_at": None}
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = (200, api.create_headers)
                if self.path.endswith("/progress"):
                    api.reports.append((self.headers["Idempotency-Key"], body))
                    api.job["started_at"] = "…" if body.get("mark_started") else api.job["started_at"]
                    answer = api.answers.pop(0) if api.answers else (200,)
                    answer = answer() if callable(answer) else answer
                    answer = answer if isinstance(answer, tuple) else (answer,)
                status, headers, reply = (*answer, *({}, api.job)[len(answer) - 1 :])
                data = json.dumps(reply).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def client(self, **options):
        return milepost.Client(f"http://127.0.0.1:{self.port}", "mp_secret", **{"give_up_after": 5, **options})

    @property
    def port(self):
        return self._server.server_port

    @property
    def bodies(self):
        return [body for _, body in self.reports]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
