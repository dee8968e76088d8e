# syntax=docker/dockerfile:1.7
# posegen-run on a CPU, x86-64 or ARM. From the checkout's root:
#   docker build -f examples/containers/cpu.Dockerfile -t posegen:cpu .
FROM python:3.12.8-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY posegen posegen
COPY runtime runtime
COPY export export
COPY calibration calibration
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12.8-slim-bookworm
# What was tested together; a bind mount leaves nothing of it in the image.
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    --mount=type=bind,source=.ci/constraints.txt,target=/constraints.txt \
    python -m pip install --no-cache-dir --constraint /constraints.txt \
        "$(ls /wheels/*.whl)[cpu,openvino]"

# Writable for whatever user `docker run --user` names.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin posegen \
    && install -d -m 1777 /cache /data
ENV POSEGEN_CACHE=/cache HOME=/tmp PYTHONUNBUFFERED=1
VOLUME /cache
WORKDIR /data
USER 10001
ENTRYPOINT ["posegen-run"]
CMD ["--doctor"]
