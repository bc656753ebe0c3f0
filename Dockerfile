# One image for ingest, the exporter and every other command. Packages are locked by hash in requirements/; the base
# image is pinned by tag. To pin the base by digest as well, set PYTHON_IMAGE to the tag followed by its @sha256:.
#
#   build   has pip; builds a virtual environment that does not
#   base    has that environment and an unprivileged user
#   demo    adds the client and the simulated visitors of `docker compose --profile demo up`
#   (last)  is base: what `docker build .` makes
ARG PYTHON_IMAGE=python:3.13.14-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Dependencies change less often than Footfall: a layer each.
COPY requirements/build.txt requirements/product.txt requirements/
RUN python -m pip install --require-hashes --requirement requirements/build.txt \
    && python -m venv --without-pip /opt/footfall \
    && python -m pip --python /opt/footfall/bin/python install --require-hashes --requirement requirements/product.txt
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY footfall footfall
COPY ingest ingest
COPY exporter exporter
COPY simulator simulator
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/footfall/bin/python install --no-deps --no-index dist/*.whl

FROM build AS build-demo
COPY requirements/demo.txt requirements/
RUN python -m pip --python /opt/footfall/bin/python install --require-hashes --requirement requirements/demo.txt

FROM ${PYTHON_IMAGE} AS base
# Remove pip and ensurepip: nothing should be installed into a running container.
RUN groupadd --gid 10001 footfall \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/footfall --no-create-home --shell /usr/sbin/nologin footfall \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/footfall \
    && install --directory --owner=10001 --group=10001 --mode=0750 /etc/footfall \
    && python -m pip uninstall --quiet --yes --break-system-packages --root-user-action=ignore pip \
    && python -c 'import ensurepip, os, shutil; shutil.rmtree(os.path.dirname(ensurepip.__file__))'
COPY --from=build /opt/footfall /opt/footfall
COPY deploy/prepare.py /opt/footfall/deploy/prepare.py
ENV PATH=/opt/footfall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FOOTFALL_CONFIG=/etc/footfall/footfall.toml \
    FOOTFALL_DATA=/var/lib/footfall \
    FOOTFALL_LISTEN=0.0.0.0:8080
LABEL org.opencontainers.image.title="Footfall" \
    org.opencontainers.image.description="Counts people through doors: takes the counters' crossings, delivers each day's file" \
    org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
WORKDIR /etc/footfall
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["footfall"]
CMD ["--help"]

FROM base AS demo
COPY --from=build-demo /opt/footfall /opt/footfall
COPY demo /opt/footfall-demo/demo
ENV PYTHONPATH=/opt/footfall-demo
ENTRYPOINT ["python", "-m", "demo.deployment"]

FROM base AS footfall
