# Airflow with the DAGs, from locks/airflow.txt. Jobs run in pods of the platform's image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY locks/bootstrap.txt locks/airflow.txt locks/
RUN python -m venv /opt/bootstrap \
    && /opt/bootstrap/bin/pip install --no-cache-dir --require-hashes -r locks/bootstrap.txt \
    && python -m venv /opt/airflow \
    && /opt/bootstrap/bin/uv pip sync --no-cache --require-hashes \
       --python /opt/airflow/bin/python locks/airflow.txt

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10002 --create-home airflow
COPY --from=build /opt/airflow /opt/airflow
COPY dags /opt/tenpo/dags
ENV PATH=/opt/airflow/bin:${PATH} \
    AIRFLOW_HOME=/home/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/tenpo/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=false \
    PYTHONUNBUFFERED=1
USER 10002
WORKDIR /home/airflow
ENTRYPOINT ["airflow"]
CMD ["version"]
