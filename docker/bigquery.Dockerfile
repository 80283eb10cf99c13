# The BigQuery-compatible server of the local stack, from locks/bigquery.txt. Not for production.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY locks/bootstrap.txt locks/bigquery.txt locks/
RUN python -m venv /opt/bootstrap \
    && /opt/bootstrap/bin/pip install --no-cache-dir --require-hashes -r locks/bootstrap.txt \
    && python -m venv /opt/bigquery \
    && /opt/bootstrap/bin/uv pip sync --no-cache --require-hashes \
       --python /opt/bigquery/bin/python locks/bigquery.txt

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10003 --create-home bigquery \
    && install --directory --owner=bigquery /var/lib/bigquery
COPY --from=build /opt/bigquery /opt/bigquery
COPY tenpo/stack/bigquery_server.py /opt/tenpo/
ENV PATH=/opt/bigquery/bin:${PATH} \
    BQEMU_ENABLE_FORMAT_EXTENSIONS=false
USER 10003
WORKDIR /var/lib/bigquery
EXPOSE 9050 9060
ENTRYPOINT ["python", "-P", "/opt/tenpo/bigquery_server.py"]
