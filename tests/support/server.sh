# shellcheck shell=bash
# Starts Taskward for a script: `source` this file, then call `start_taskward`. See tests/support/server.mjs for Node.

_support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# start_taskward FOLDER [NAME=VALUE…]: starts the program in development mode and waits until it serves.
# It works in FOLDER and gets no other settings than these, so that no .env and no variable of the developer counts.
# Sets `taskward_program`, `taskward_url` and `taskward_server` (the process id). The log goes to FOLDER/log.
start_taskward() {
    local folder=$1
    shift
    taskward_program=$("$_support/program")
    env -i --chdir "$folder" "PATH=$PATH" "HOME=$folder" PORT=0 "$@" "$taskward_program" >"$folder/welcome" 2>"$folder/log" &
    taskward_server=$!
    for _ in $(seq 200); do
        grep -q '/docs/' "$folder/welcome" && break
        kill -0 "$taskward_server" 2>/dev/null || { cat "$folder/log" >&2; return 1; }
        sleep 0.1
    done
    taskward_url=$(sed -n 's|.*Swagger UI *\(http://[^/]*\)/docs/.*|\1|p' "$folder/welcome")
    [ -n "$taskward_url" ] || { echo "Taskward does not serve after 20 s:" >&2; cat "$folder/log" >&2; return 1; }
}

# taskward_token FOLDER USER: prints a token of that user, for the server that works in FOLDER.
taskward_token() {
    env -i --chdir "$1" "HOME=$1" "$taskward_program" token "$2"
}

# stop_taskward: ends the server, if one was started, and waits for its end.
stop_taskward() {
    [ -n "${taskward_server:-}" ] || return 0
    kill "$taskward_server" 2>/dev/null || true
    wait "$taskward_server" 2>/dev/null || true
}
