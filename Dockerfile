# Ingest, the exporter and every other command, in one image. Python and the Debian under it are pinned by tag: to pin
# by digest, which nobody can move, set PYTHON_IMAGE to the tag with its @sha256: of today.
#
#   build   has pip, and makes a virtual environment without it
#   base    has that environment, and nobody who is root
#   demo    has the client and the visitors of `docker compose --profile demo up` too
#   (last)  base again: what `docker build .` makes
ARG PYTHON_IMAGE=python:3.13.14-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# What Footfall needs changes seldom, Footfall itself often: a layer each.
RUN python -m venv --without-pip /opt/footfall \
    && python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > requirements.txt \
    && python -m pip --python /opt/footfall/bin/python install --constraint constraints.txt --requirement requirements.txt
COPY README.md LICENSE ./
COPY cli cli
COPY footfall footfall
COPY ingest ingest
COPY exporter exporter
COPY simulator simulator
RUN python -m pip --python /opt/footfall/bin/python install --no-deps .

FROM build AS build-demo
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["demo"], sep="\n")' \
        > requirements-demo.txt \
    && python -m pip --python /opt/footfall/bin/python install --constraint constraints.txt --requirement requirements-demo.txt

FROM ${PYTHON_IMAGE} AS base
# pip goes, and what could bring it back: nothing is ever installed into a running container.
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
