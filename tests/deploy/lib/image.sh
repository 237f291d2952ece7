# shellcheck shell=bash
# What tests/deploy/image is made of: the two base images, and the image itself. `source` it with `root` and `IMAGE_WORK` set.

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

# in_store PROGRAM COMMAND…: buildah or podman with a store of this test's own.
in_store() {
    local program=$1 options=(--root "$IMAGE_WORK/store" --runroot "$IMAGE_WORK/run")
    shift
    [ "$program" != podman ] || options+=(--log-level fatal --cgroup-manager cgroupfs --runtime "$(command -v runc)")
    "$program" "${options[@]}" "$@"
}

has_image() {
    in_store buildah inspect --type image "$1" >/dev/null 2>&1
}

# image_of NAME FOLDER: makes a base image of a folder.
image_of() {
    printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME=/usr/local/cargo SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n' |
        in_store buildah bud --quiet --format docker --tag "$1" --file - "$2"
}

# In place of rust:slim-bookworm: Debian, a C compiler, and the toolchain of this machine.
build_base() {
    ! has_image localhost/build-base || return 0
    local folder=$IMAGE_WORK/build-base
    rm -rf "$folder"
    debootstrap --variant=minbase --include=gcc,libc6-dev,ca-certificates bookworm "$folder" >"$IMAGE_WORK/debootstrap.log"
    mkdir -p "$folder/usr/local/cargo/bin"
    (cd "$(rustc --print sysroot)" && cp -r --parents bin lib "$folder/usr/local")
    rm -rf "$folder"/usr/local/lib/rustlib/{src,rustc-src} "$folder"/var/cache/apt/*
    certificates "$folder"
    image_of localhost/build-base "$folder"
    rm -rf "$folder"
}

# In place of distroless/cc-debian12.
run_base() {
    ! has_image localhost/run-base || return 0
    local folder=$IMAGE_WORK/run-base
    rm -rf "$folder" "$IMAGE_WORK/packages"
    mkdir -p "$folder" "$IMAGE_WORK/packages"
    (cd "$IMAGE_WORK/packages" && apt-get download --quiet base-files netbase tzdata libc6 libgcc-s1 libstdc++6 libgomp1 libssl3)
    for package in "$IMAGE_WORK"/packages/*.deb; do dpkg -x "$package" "$folder"; done
    rm -rf "$folder"/usr/share/{doc,man,lintian}
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$folder/etc/passwd"
    certificates "$folder"
    image_of localhost/run-base "$folder"
    rm -rf "$folder"
}

# What this machine trusts: it may reach registries through a proxy of its own.
certificates() {
    mkdir -p "$1/etc/ssl/certs"
    cp --dereference /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
}

build_image() {
    in_store buildah bud --format docker --layers --network host --pull-never \
        --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/usr/local/cargo/registry" \
        --build-arg BUILD_IMAGE=localhost/build-base --build-arg RUN_IMAGE=localhost/run-base \
        --tag localhost/taskward "${root:?}"
}

image_size() {
    in_store podman image inspect --format '{{.Size}}' "$1"
}
