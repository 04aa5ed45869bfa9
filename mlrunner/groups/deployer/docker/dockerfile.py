"""The Dockerfile of a release: libraries, which versions share, then code and model."""

from __future__ import annotations

import json

NAME, REQUIREMENTS, WHEELS, CODE_FOLDER = "Dockerfile", "requirements.txt", "wheels", "code"
PORT = 8080
USER = "10001:10001"
SITE, CODE, RELEASE = "/opt/mlrunner/site", "/opt/mlrunner/code", "/release"
DROPPED = r"\|".join(["pyi", "pyx", "pxd", "pxi", "h", "hpp", "c", "cpp", "a", "lib", "f90", "exe"])
STAGE = "mlrunner.stage"  # the label of what only the installation needs
PING = (
    f"import socket as s;c=s.create_connection(('127.0.0.1',{PORT}),3);"
    r"c.sendall(b'GET /ping HTTP/1.0\r\n\r\n');raise SystemExit(b' 200 ' not in c.recv(64))"
)
ENVIRONMENT = f"""\
PYTHONPATH={CODE}:{SITE}:{RELEASE}/model/code PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \\
    LD_LIBRARY_PATH={SITE} HOME=/tmp"""


LAST = f"""\

# What this version adds.
FROM libraries
COPY {CODE_FOLDER} {CODE}
COPY release.json {RELEASE}/
COPY model {RELEASE}/model
"""


def whole(tag: str, base: str) -> str:
    """Write the file that stands in the folder of a release."""
    return _head(tag) + libraries(base) + LAST


def on_libraries(image: str) -> str:
    """Write the last stage alone, on an image of libraries that is there already."""
    return f"FROM {image} AS libraries\n" + LAST


def _head(tag: str) -> str:
    return f"""\
# A model server of mlrunner. Build it by hand with
#   docker build --tag {tag} .
# Without a package index inside the build, download the wheels first:
#   python -m pip download --only-binary=:all: --no-deps --dest wheels --requirement requirements.txt pip
#   docker build --build-arg PIP_NO_INDEX=1 --tag {tag} .
"""


def libraries(base: str) -> str:
    """Write the stages that install libraries; `wheels*` matches nothing where no wheels were downloaded."""
    return f"""\
ARG BASE={base}

# Install the libraries, without what no server imports. A base without pip runs the wheel of pip.
FROM $BASE AS build
ARG STAGE=by-hand
LABEL {STAGE}=$STAGE
USER root
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
COPY {REQUIREMENTS} {WHEELS}* /wheels/
WORKDIR {SITE}
RUN PYTHONPATH="$(echo /wheels/pip-*.whl)" python3 -m pip install --no-cache-dir --no-deps --no-compile \\
        --only-binary=:all: --find-links /wheels --target . --requirement /wheels/{REQUIREMENTS} \\
    && rm -rf bin share \\
    && find . -type f -regex '.*\\.\\({DROPPED}\\)' -delete \\
    && find . -type f -regex '.*/tests?/.*' \\( ! -name '*.py' -o -name 'test_*' -o -name 'conftest*' \\) -delete \\
    && find . -name 'libgomp-*.so*' -path './*.libs/*' -exec ln -sf '{{}}' libgomp.so.1 ';' \\
    && (python3 -m compileall -q -j 0 . > /dev/null || true)

# What all versions with these libraries share: the libraries, the user and how the server is started.
FROM $BASE AS libraries
COPY --from=build {SITE} {SITE}
ENV {ENVIRONMENT}
USER {USER}
EXPOSE {PORT}
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD {json.dumps(["python3", "-ISc", PING])}
ENTRYPOINT ["python3", "-m", "mlrunner.serving", "{RELEASE}"]
CMD ["--host", "0.0.0.0", "--port", "{PORT}"]
"""
