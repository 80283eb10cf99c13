# Workers of the pipelines on Dataflow: the platform's image, started by Beam.
# https://docs.cloud.google.com/dataflow/docs/guides/build-container-image
ARG PLATFORM_IMAGE=tenpo/platform
ARG BEAM_IMAGE=apache/beam_python3.11_sdk:2.77.0

FROM ${BEAM_IMAGE} AS beam

FROM ${PLATFORM_IMAGE}
COPY --from=beam /opt/apache/beam /opt/apache/beam
# As in Beam's own images: the worker's folders on the machine belong to root.
# hadolint ignore=DL3002
USER 0
ENTRYPOINT ["/opt/apache/beam/boot"]
