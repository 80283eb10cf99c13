# The platform: gateways, API, Beam jobs and the `tenpo` command, from locks/platform.txt.
# The base image is chosen by the builder; production pins it by digest.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY locks/bootstrap.txt locks/platform.txt locks/
RUN python -m venv /opt/bootstrap \
    && /opt/bootstrap/bin/pip install --no-cache-dir --require-hashes -r locks/bootstrap.txt \
    && python -m venv /opt/tenpo \
    && /opt/bootstrap/bin/uv pip sync --no-cache --require-hashes \
       --python /opt/tenpo/bin/python locks/platform.txt
COPY pyproject.toml README.md ./
COPY tenpo tenpo
COPY gateways gateways
COPY beam_jobs beam_jobs
COPY video_analyzer video_analyzer
COPY api api
COPY kedro_project kedro_project
COPY specs specs
RUN /opt/bootstrap/bin/uv pip install --no-cache --no-deps --no-build-isolation \
    --python /opt/tenpo/bin/python .

FROM ${PYTHON_IMAGE}
# LightGBM's wheel takes OpenMP from the system.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home tenpo \
    && install --directory --owner=tenpo /var/lib/tenpo
COPY --from=build /opt/tenpo /opt/tenpo
COPY --from=build /src/specs /opt/tenpo/specs
ENV PATH=/opt/tenpo/bin:${PATH} \
    TENPO_HOME=/var/lib/tenpo \
    TENPO_LOG_JSON=true \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/tenpo
ENTRYPOINT ["tenpo"]
CMD ["--help"]
