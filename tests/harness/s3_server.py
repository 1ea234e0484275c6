"""An object store that speaks S3, as a program of its own: python -m tests.harness.s3_server."""

from __future__ import annotations

import logging

from moto.server import create_backend_app
from werkzeug.serving import make_server


def main() -> None:
    """Serve until interrupted; one request after the other, so that a conditional write is the one step that S3 promises."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_backend_app("s3"), threaded=False)
    print(f"READY http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
