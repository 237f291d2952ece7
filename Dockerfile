# The image of Taskward: one program, no shell, no package manager, no root.
#
#   docker build --tag taskward .
#   docker run --read-only --cap-drop all --publish 8000:8000 --volume taskward:/data \
#       --env BETTER_AUTH_URL=https://app.example.com taskward
#
# docs/deploying.md has the rest. deploy/image/build builds it where there is no Docker and no registry.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-slim-bookworm
# glibc, libgcc and the certificates of authorities; the same glibc as that of BUILD_IMAGE.
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# hadolint ignore=DL3006 # the tag is in the argument
FROM ${BUILD_IMAGE} AS build
# Writes the list of crates into the program. Scanners and `cargo audit bin` read it from the image, where nothing else says
# what a Rust program is made of.
ARG CARGO_AUDITABLE_VERSION=0.7.7
RUN cargo install cargo-auditable --version "${CARGO_AUDITABLE_VERSION}" --locked
WORKDIR /src

# The dependencies first, with empty sources: this layer is built again only when Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
RUN mkdir src benches migration/src \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs benches/micro.rs migration/src/lib.rs \
    && cargo auditable build --release --locked \
    && rm -r src migration/src

COPY migration/src migration/src
COPY src src
# The files can be older than the program of empty sources, and cargo compares times.
RUN touch src/main.rs src/lib.rs migration/src/lib.rs \
    && cargo auditable build --release --locked \
    && mkdir /data

# hadolint ignore=DL3006 # the tag is in the argument
FROM ${RUN_IMAGE}
LABEL org.opencontainers.image.title="Taskward" \
    org.opencontainers.image.description="A multi-user todo API: it verifies your issuer's tokens and keeps users apart" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /src/target/release/taskward /usr/local/bin/taskward
# For SQLite. A new volume takes the owner from here.
COPY --from=build --chown=65532:65532 /data /data
VOLUME /data
# Where SQLite also puts temporary files, as nothing else is writable with a read-only root.
WORKDIR /data
ENV HOST=0.0.0.0 \
    DATABASE_URL=sqlite:///data/taskward.db
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/local/bin/taskward", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/taskward"]
CMD ["serve"]
