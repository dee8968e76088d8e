# syntax=docker/dockerfile:1.7
# posegen-run on an NVIDIA GPU of a server or workstation: TensorRT, and ONNX Runtime's CUDA. The
# host brings the driver (for CUDA 13: 580 or newer) and nvidia-container-toolkit; wheels bring the
# rest, several gigabytes (TensorRT's libraries from NVIDIA's own index, which their package asks).
# From the checkout's root:
#   docker build -f examples/containers/gpu.Dockerfile -t posegen:gpu .
#   docker run --gpus all -v posegen-cache:/cache -v "$PWD:/data" posegen:gpu --doctor
FROM python:3.12.8-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY posegen posegen
COPY runtime runtime
COPY export export
COPY calibration calibration
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12.8-slim-bookworm
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    --mount=type=bind,source=.ci/constraints.txt,target=/constraints.txt \
    python -m pip install --no-cache-dir --constraint /constraints.txt \
        "$(ls /wheels/*.whl)[gpu,tensorrt]" "onnxruntime-gpu[cuda,cudnn]"

# Writable for whatever user `docker run --user` names.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin posegen \
    && install -d -m 1777 /cache /data
# What nvidia-container-toolkit brings in: the GPUs, CUDA's driver library and nvidia-smi.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENV POSEGEN_CACHE=/cache HOME=/tmp PYTHONUNBUFFERED=1
# Engines, which take minutes to build: give the volume a name to keep them.
VOLUME /cache
WORKDIR /data
USER 10001
ENTRYPOINT ["posegen-run"]
CMD ["--doctor"]
