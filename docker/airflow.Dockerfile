# Airflow with the DAGs, from locks/airflow.txt. The platform's environment lies beside its
# own, so that tasks can be local processes; with TENPO_TASK_RUNTIME=kubernetes they are pods
# of the platform's image instead.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG PLATFORM_IMAGE=tenpo/platform

FROM ${PLATFORM_IMAGE} AS platform

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY locks/bootstrap.txt locks/airflow.txt locks/
RUN python -m venv /opt/bootstrap \
    && /opt/bootstrap/bin/pip install --no-cache-dir --require-hashes -r locks/bootstrap.txt \
    && python -m venv /opt/airflow \
    && /opt/bootstrap/bin/uv pip sync --no-cache --require-hashes \
       --python /opt/airflow/bin/python locks/airflow.txt

FROM ${PYTHON_IMAGE}
# LightGBM's wheel takes OpenMP from the system.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home airflow \
    && install --directory --owner=airflow /var/lib/tenpo
COPY --from=build /opt/airflow /opt/airflow
COPY --from=platform /opt/tenpo /opt/tenpo
COPY dags /opt/dags
ENV PATH=/opt/airflow/bin:${PATH} \
    AIRFLOW_HOME=/home/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/dags \
    TENPO_PYTHON=/opt/tenpo/bin/python \
    AIRFLOW__CORE__LOAD_EXAMPLES=false \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/airflow
ENTRYPOINT ["airflow"]
CMD ["version"]
