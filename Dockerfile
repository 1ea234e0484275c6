# Airflow with Renkei. Not built on apache/airflow: that image brings versions of its own, so that
# what runs would be neither its set nor the one in requirements.txt. See docs/decisions/0001.

FROM python:3.12-slim-bookworm AS packages
WORKDIR /opt/airflow
COPY requirements.txt requirements-dev.txt pyproject.toml ./
# Wheels alone: nothing is compiled, and no code of a package runs while it is installed.
RUN sed -n '/^uv==/,/[^\]$/p' requirements-dev.txt > /tmp/uv.txt \
    && python -m venv /tmp/uv && /tmp/uv/bin/pip install --no-cache-dir --require-hashes -r /tmp/uv.txt \
    && python -m venv --without-pip /opt/venv \
    && /tmp/uv/bin/uv pip sync --python /opt/venv/bin/python --no-cache --no-build \
       --compile-bytecode --require-hashes requirements.txt
COPY plugins plugins
RUN /tmp/uv/bin/uv pip install --python /opt/venv/bin/python --no-cache --no-deps \
    --build-constraints requirements-dev.txt --editable .

FROM python:3.12-slim-bookworm
# The group is root's and shares the owner's rights, so any user id may be given at run time.
RUN useradd --uid 50000 --gid 0 --create-home airflow \
    && install -d -o airflow -g 0 -m 0775 /opt/airflow /opt/airflow/logs /opt/airflow/store /opt/airflow/index
COPY --from=packages /opt/venv /opt/venv
COPY plugins /opt/airflow/plugins
COPY include/contracts /opt/airflow/include/contracts
ENV AIRFLOW_HOME=/opt/airflow PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /opt/airflow
USER airflow
CMD ["airflow", "version"]
