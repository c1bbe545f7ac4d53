# DeltaGlider with xdelta3 inside.
#
#   docker build -t deltaglider .
#   docker run --rm -v ~/.aws:/home/deltaglider/.aws:ro -v "$PWD:/data" deltaglider cp app.zip s3://releases/v1/
#
# References are cached in /cache; mount a volume there to keep them between runs.

FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends xdelta3 \
    && rm -rf /var/lib/apt/lists/*
# The tested versions of the dependencies; a library would leave the choice to the resolver, an image should not.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    --mount=type=bind,from=build,source=/source/constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir --constraint /constraints.txt /wheels/*.whl
RUN useradd --create-home --uid 1000 deltaglider \
    && install --directory --owner deltaglider --mode 0700 /cache \
    && install --directory --owner deltaglider /data
ENV DG_CACHE_DIR=/cache
USER deltaglider
WORKDIR /data
ENTRYPOINT ["deltaglider"]
CMD ["--help"]
