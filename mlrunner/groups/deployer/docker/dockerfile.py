"""Render the Dockerfile of a release: first the libraries, which versions share, then code and model."""

from __future__ import annotations

import json

NAME, REQUIREMENTS, WHEELS, CODE_FOLDER = "Dockerfile", "requirements.txt", "wheels", "code"
PORT = 8080
USER = "10001:10001"
SITE_FOLDER, CODE, RELEASE_FOLDER = "/opt/mlrunner/site", "/opt/mlrunner/code", "/release"
UNUSED_SUFFIXES = r"\|".join(["pyi", "pyx", "pxd", "pxi", "h", "hpp", "c", "cpp", "a", "lib", "f90", "exe"])
STAGE_LABEL = "mlrunner.stage"  # label of the build stage, by which leftovers are pruned
PING = (
    f"import socket as s;c=s.create_connection(('127.0.0.1',{PORT}),3);"
    r"c.sendall(b'GET /ping HTTP/1.0\r\n\r\n');raise SystemExit(b' 200 ' not in c.recv(64))"
)
ENVIRONMENT = f"""\
PYTHONPATH={CODE}:{SITE_FOLDER} LD_LIBRARY_PATH={SITE_FOLDER} \\
    PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp"""


LAST_STAGE = f"""\

# What this version adds.
FROM libraries
COPY {CODE_FOLDER} {CODE}
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
    """Render the stages that install the libraries; `wheels*` matches nothing without downloaded wheels."""
    return f"""\
ARG BASE={base}

# Install the libraries, without what no server imports. A base without pip runs the wheel of pip.
FROM $BASE AS build
ARG STAGE=by-hand
LABEL {STAGE_LABEL}=$STAGE
USER root
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
COPY {REQUIREMENTS} {WHEELS}* /wheels/
WORKDIR {SITE_FOLDER}
RUN PYTHONPATH="$(echo /wheels/pip-*.whl)" python3 -m pip install --no-cache-dir --no-deps --no-compile \\
        --only-binary=:all: --find-links /wheels --target . --requirement /wheels/{REQUIREMENTS} \\
    && rm -rf bin share \\
    && find . -type f -regex '.*\\.\\({UNUSED_SUFFIXES}\\)' -delete \\
    && find . -type f -regex '.*/tests?/.*' \\( ! -name '*.py' -o -name 'test_*' -o -name 'conftest*' \\) -delete \\
    && find . -name 'libgomp-*.so*' -path './*.libs/*' -exec ln -sf '{{}}' libgomp.so.1 ';' \\
    && (python3 -m compileall -q -j 0 . > /dev/null || true)

# What all versions with these libraries share: the libraries, the user and how the server is started.
FROM $BASE AS libraries
COPY --from=build {SITE_FOLDER} {SITE_FOLDER}
ENV {ENVIRONMENT}
USER {USER}
EXPOSE {PORT}
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD {json.dumps(["python3", "-ISc", PING])}
ENTRYPOINT ["python3", "-m", "mlrunner.serving", "{RELEASE_FOLDER}"]
CMD ["--host", "0.0.0.0", "--port", "{PORT}"]
"""
