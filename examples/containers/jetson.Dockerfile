# syntax=docker/dockerfile:1.7
# posegen-run on a Jetson with JetPack 6 (L4T 36): its TensorRT 10.3, Ubuntu 22.04's Python 3.10.
# Build it on the Jetson, from the checkout's root. The tag is to be that of the system there:
# /etc/nv_tegra_release.
#   docker build -f examples/containers/jetson.Dockerfile -t posegen:jetson .
#   docker run --runtime nvidia -v posegen-cache:/cache -v "$PWD:/data" posegen:jetson --doctor
FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0 AS base
# TensorRT's Python bindings are of the same release as its libraries in the image.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        python3-libnvinfer \
        python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv --system-site-packages /opt/posegen

FROM base AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY posegen posegen
COPY runtime runtime
COPY export export
COPY calibration calibration
RUN /opt/posegen/bin/python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM base
# JetPack's OpenCV is not in the image, so here it is a wheel, one that is built for NumPy 1, too.
# ONNX Runtime (`cpu`) is what runs where the engine cannot be had.
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    /opt/posegen/bin/python -m pip install --no-cache-dir \
        "$(ls /wheels/*.whl)[jetson,cpu]" "opencv-python-headless>=4.9,<4.12" "numpy>=1.26,<2"

# Writable for whatever user `docker run --user` names. Who uses the GPU is in the group video.
RUN useradd --uid 10001 --groups video --no-create-home --shell /usr/sbin/nologin posegen \
    && install -d -m 1777 /cache /data
ENV PATH=/opt/posegen/bin:$PATH NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all
ENV POSEGEN_CACHE=/cache HOME=/tmp PYTHONUNBUFFERED=1
# Engines, which take minutes to build: give the volume a name to keep them.
VOLUME /cache
WORKDIR /data
USER 10001
ENTRYPOINT ["posegen-run"]
CMD ["--doctor"]
