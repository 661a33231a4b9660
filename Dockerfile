# Images of jaxsr, whose arguments are a command and its flags:
#   docker build --target=cpu --tag=jaxsr:cpu .
#   docker build --target=cuda --tag=jaxsr:cuda .
#   docker run --rm --user="$(id -u)" --volume="$PWD/runs:/runs" jaxsr:cpu \
#       jaxsr.train --config=espcn:x3 --workdir=/runs/espcn-x3
# For GPUs add --gpus=all --shm-size=8g; these need NVIDIA's driver and container toolkit on the host, nothing else.
# Compiled programs are kept in /cache; a volume there, or JAX_COMPILATION_CACHE_DIR, keeps them from run to run.
FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/*

# Dependencies alone, from pyproject.toml and an empty package: a change of the code leaves these large layers as they are
FROM base AS dependencies
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
WORKDIR /build
COPY pyproject.toml ./
RUN mkdir jaxsr && touch jaxsr/__init__.py README.md LICENSE \
    && python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir . \
    && /opt/venv/bin/pip uninstall --yes jaxsr

FROM dependencies AS cuda-dependencies
RUN /opt/venv/bin/pip install --no-cache-dir ".[cuda]" \
    && /opt/venv/bin/pip uninstall --yes jaxsr

# Not in /build: the empty package left its __init__.py in /build/build, which is newer than the checkout's and would win
FROM dependencies AS wheel
WORKDIR /checkout
COPY pyproject.toml setup.py README.md LICENSE ./
COPY jaxsr jaxsr
COPY configs configs
RUN /opt/venv/bin/pip wheel --no-cache-dir --no-deps --wheel-dir=/wheels .

# What both targets share. Any user may write the caches, so that --user works; /runs is where volumes go
FROM base AS runtime
RUN useradd --uid=1000 --create-home jaxsr \
    && mkdir --mode=1777 /cache \
    && mkdir /runs && chown jaxsr /runs
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/cache MPLCONFIGDIR=/cache/matplotlib
WORKDIR /runs
# tini passes SIGTERM on from the first moment, also before the training loop handles it
ENTRYPOINT ["tini", "--", "python", "-m"]
CMD ["jaxsr"]

FROM runtime AS cpu
COPY --from=dependencies /opt/venv /opt/venv
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-cache-dir --no-deps /wheels/*.whl
USER 1000

FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=cuda-dependencies /opt/venv /opt/venv
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-cache-dir --no-deps /wheels/*.whl
USER 1000
