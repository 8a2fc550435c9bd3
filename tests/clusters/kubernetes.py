"""A pretended Kubernetes: the three calls of profiles/kubernetes/job.py.

    python tests/clusters/kubernetes.py FOLDER

writes FOLDER/config (for KUBECONFIG) and serves until it is stopped. A job is a process
of this host, started where its container's would be; of image and volumes nothing is
used. FOLDER/jobs.jsonl tells what every job asked for.
"""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

CONFIG = """\
apiVersion: v1
kind: Config
current-context: pretended
clusters: [{name: pretended, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: pretended, user: {token: pretended}}]
contexts: [{name: pretended, context: {cluster: pretended, user: pretended}}]
"""


class Api(BaseHTTPRequestHandler):
    """Answers .../namespaces/default/jobs: create, status, delete."""

    folder: Path
    jobs: ClassVar[dict[str, subprocess.Popen]] = {}
    lock = threading.Lock()

    def answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = job["metadata"]["name"]
        container = job["spec"]["template"]["spec"]["containers"][0]
        extra = {each["name"]: each["value"] for each in container["env"]}
        with self.lock, (self.folder / f"{name}.log").open("w") as log:
            self.jobs[name] = subprocess.Popen(
                container["command"],
                cwd=container["workingDir"],
                env=os.environ | extra,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with (self.folder / "jobs.jsonl").open("a") as file:
                file.write(json.dumps(container | {"name": name}) + "\n")
        self.answer(201, job)

    def do_GET(self) -> None:
        name = self.path.split("/")[-2]
        if name not in self.jobs:
            self.answer(404, {"message": "no such job"})
            return
        code = self.jobs[name].poll()
        what = "active" if code is None else "failed" if code else "succeeded"
        self.answer(200, {"metadata": {"name": name}, "status": {what: 1}})

    def do_DELETE(self) -> None:
        name = self.path.split("?")[0].split("/")[-1]
        job = self.jobs.pop(name, None)
        if job is not None and job.poll() is None:
            os.killpg(job.pid, 15)
            job.wait()
        self.answer(200 if job else 404, {"status": "Success"})

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    Api.folder = Path(sys.argv[1])
    Api.folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    (Api.folder / "config").write_text(CONFIG % server.server_port)
    server.serve_forever()
