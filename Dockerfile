# The daemon alone: no sandbox, no tests, no build tools, not root.
FROM python:3.11-slim AS build
COPY requirements.txt /build/requirements.txt
RUN python -m venv /opt/dunwell && /opt/dunwell/bin/pip install --no-cache-dir --require-hashes -r /build/requirements.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/dunwell --create-home dunwell
COPY --from=build /opt/dunwell /opt/dunwell
COPY connector /opt/app/connector
COPY jobs /opt/app/jobs
COPY mappings /opt/app/mappings
USER dunwell
WORKDIR /var/lib/dunwell
VOLUME /var/lib/dunwell
ENV PATH=/opt/dunwell/bin:$PATH PYTHONPATH=/opt/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8850/healthz', timeout=3)"]
# The daemon is PID 1: SIGTERM reaches it and it stops in order.
ENTRYPOINT ["python", "-m", "connector"]
CMD ["run"]
