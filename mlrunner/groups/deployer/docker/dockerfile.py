"""Render the Dockerfile of a release: first the libraries, which versions share, then code and model."""

from __future__ import annotations

import json

from mlrunner.core.containers.libraries import CODE_FOLDER, PYTHON_ENVIRONMENT, SITE_FOLDER, render_installation

CODE_SOURCE = "code"  # in the folder of a release
PORT = 8080
USER = "10001:10001"
RELEASE_FOLDER = "/release"
PING = (
    f"import socket as s;c=s.create_connection(('127.0.0.1',{PORT}),3);"
    r"c.sendall(b'GET /ping HTTP/1.0\r\n\r\n');raise SystemExit(b' 200 ' not in c.recv(64))"
)

SETTINGS = f"""\
ENV {PYTHON_ENVIRONMENT}
USER {USER}
EXPOSE {PORT}
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD {json.dumps(["python3", "-ISc", PING])}
ENTRYPOINT ["python3", "-m", "mlrunner.serving", "{RELEASE_FOLDER}"]
CMD ["--host", "0.0.0.0", "--port", "{PORT}"]
"""
LAST_STAGE = f"""\

# What this version adds.
FROM libraries
COPY {CODE_SOURCE} {CODE_FOLDER}
COPY release.json {RELEASE_FOLDER}/
COPY model {RELEASE_FOLDER}/model
"""


def render(tag: str, base: str) -> str:
    """Render the Dockerfile that is written to the folder of a release.

    Args:
        tag: Tag of the image, for the comment.
        base: Name of the base image.
    """
    return _render_head(tag) + render_libraries(base) + LAST_STAGE


def render_last_stage(image: str) -> str:
    """Render the last stage only, based on an existing image of the libraries."""
    return f"FROM {image} AS libraries\n" + LAST_STAGE


def _render_head(tag: str) -> str:
    return f"""\
# A model server of mlrunner. Build it by hand with
#   docker build --tag {tag} .
# Without a package index inside the build, download the wheels first:
#   python -m pip download --only-binary=:all: --no-deps --dest wheels --requirement requirements.txt pip
#   docker build --build-arg PIP_NO_INDEX=1 --tag {tag} .
"""


def render_libraries(base: str) -> str:
    """Render the stages up to the libraries."""
    return f"""\
{render_installation(base)}
# What all versions with these libraries share: the libraries, the user and how the server is started.
FROM $BASE AS libraries
COPY --from=build {SITE_FOLDER} {SITE_FOLDER}
{SETTINGS}"""
