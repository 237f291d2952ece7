# shellcheck shell=bash
# Runs the image for a story, as docs/deploying.md says to run it. `source` it with `root`, `IMAGE_WORK` and `TASKWARD_IMAGE` set.

# shellcheck source-path=SCRIPTDIR source=image.sh
source "$(dirname "${BASH_SOURCE[0]}")/image.sh"

AUTH_HS256_SECRET=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
export AUTH_HS256_SECRET
TOKEN=$("$(dirname "${BASH_SOURCE[0]}")/token.py" alice)
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
container=taskward-$$

# run_image [OPTION…] [-- COMMAND…]: runs it read-only, without capabilities, as the user of the image.
run_image() {
    local options=()
    while [ "${1:---}" != -- ]; do options+=("$1"); shift; done
    [ $# = 0 ] || shift
    # The engine's own limits may be above those of this machine.
    in_store podman run --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --network host --pull never \
        --ulimit "nofile=$(ulimit -n):$(ulimit -Hn)" --ulimit "nproc=4096:4096" \
        --env AUTH_HS256_SECRET --env PORT="$PORT" "${options[@]}" "$TASKWARD_IMAGE" "$@"
}

# Waits until the container's own check says that it is healthy.
wait_until_healthy() {
    for _ in $(seq 100); do
        in_store podman healthcheck run "$container" >/dev/null 2>&1 && return
        sleep 0.2
    done
    echo "not healthy after 20 s:" >&2
    in_store podman logs "$container" >&2
    return 1
}

# call METHOD PATH [BODY]: prints the answer and fails if it is an error.
call() {
    curl --silent --show-error --fail-with-body --max-time 10 --request "$1" "http://127.0.0.1:$PORT$2" \
        --header "Authorization: Bearer $TOKEN" ${3:+--header 'Content-Type: application/json' --data "$3"}
    echo
}

# expect TEXT COMMAND…: fails unless the output has the text.
expect() {
    local text=$1 output
    shift
    output=$("$@" 2>&1) || { echo "$* failed: $output" >&2; return 1; }
    [[ $output == *"$text"* ]] || { echo "$* printed $output, without $text" >&2; return 1; }
}

# stop_container: as `docker stop` does; the program must end by itself, with 0.
stop_container() {
    in_store podman stop --time 30 "$container" >/dev/null
    local code
    code=$(in_store podman inspect --format '{{.State.ExitCode}}' "$container")
    [ "$code" = 0 ] || { echo "it ended with $code" >&2; return 1; }
    in_store podman rm "$container" >/dev/null
}

remove_container() {
    in_store podman rm --force "$container" >/dev/null 2>&1 || true
}
