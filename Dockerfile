# The wheel, built with the commands that the tests use, and the image that runs it as an ordinary user.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/safer-places \
    && /opt/safer-places/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/safer-places/bin/pip install --no-cache-dir --no-deps --no-index /dist/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home safer-places \
    && install -d -o safer-places -g safer-places -m 700 /data
COPY --from=build /opt/safer-places /opt/safer-places
ENV PATH=/opt/safer-places/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SAFER_PLACES_HOST=0.0.0.0 \
    SAFER_PLACES_PORT=8000 \
    SAFER_PLACES_DATA_DIR=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["safer-places"]
CMD ["serve"]
