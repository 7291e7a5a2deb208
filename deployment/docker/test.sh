#!/usr/bin/env bash
# Build the images, start each as it is started in production (its own entry point, its user, a
# read-only root) and ask it. Needs root and Debian's buildah and debootstrap, no engine:
#
#   deployment/docker/test.sh [FOLDER [TARGET ...]]
#
# FOLDER keeps the base and the layers for the next time; by default a temporary one. TARGET: api, ui,
# train; by default all of them. PIP_FIND_LINKS may name a folder of wheels, such as torch for
# processors alone. Where there is chromium, it looks at the page.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${1:-$(mktemp -d)}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(api ui train)
mkdir -p "$work"
export STORAGE_DRIVER=vfs
storage=(--root "$work/storage" --runroot "$work/run")
base=docker.io/library/debian:bookworm-slim
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
port=${PORT:-18000}

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'container-test: %s\n' "$*" >&2; exit 1; }

if ! buildah "${storage[@]}" inspect --type image "$base" >/dev/null 2>&1; then
    say "base: debootstrap as $base"
    [ -e "$work/base/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$work/base" "$mirror" >/dev/null
    made=$(buildah "${storage[@]}" from scratch)
    buildah "${storage[@]}" copy --quiet "$made" "$work/base" / >/dev/null
    buildah "${storage[@]}" commit --quiet "$made" "$base" >/dev/null
    buildah "${storage[@]}" rm "$made" >/dev/null
fi

options=()
if [ -n "${PIP_CERT:-}" ]; then # of a proxy between here and PyPI
    options+=(--volume "$PIP_CERT:/proxy.pem:ro" --build-arg PIP_CERT=/proxy.pem)
fi
if [ -d "${PIP_FIND_LINKS:-}" ]; then
    options+=(--volume "$PIP_FIND_LINKS:/wheels:ro" --build-arg PIP_FIND_LINKS=/wheels)
fi

containers=()
service=
mounted() { # IMAGE: the folder of a container's files
    local made
    made=$(buildah "${storage[@]}" from --pull-never "$1")
    containers+=("$made")
    mounted=$(buildah "${storage[@]}" mount "$made")
}
leave() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    service=
    umount "$work/root/data" "$work/root/tmp" "$work/root/dev" "$work/root/proc" "$work/root" 2>/dev/null || true
}
cleanup() {
    leave
    buildah "${storage[@]}" umount "${containers[@]}" >/dev/null 2>&1 || true
    buildah "${storage[@]}" rm "${containers[@]}" >/dev/null 2>&1 || true
}
trap cleanup EXIT

mounted "$base"
below=$mounted

enter() { # TARGET: build it, look at its size, and mount its root as a container has it
    say "$1: build"
    buildah "${storage[@]}" bud --quiet --format docker --isolation chroot --pull-never --layers \
        "${options[@]}" --file deployment/docker/Dockerfile --target "$1" --tag "pawsight:$1" . >/dev/null
    target=$1
    mounted "pawsight:$1"
    root=$mounted
    size=$(($(du -sm "$root" | cut -f1) - $(du -sm "$below" | cut -f1)))
    echo "$size MB over the base"
    for name in gcc cc g++ make git curl; do
        [ ! -e "$root/usr/bin/$name" ] || fail "$name is inside"
    done
    user=$(config '{{.OCIv1.Config.User}}')
    entry=$(config '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}')
    command=$(config '{{range .OCIv1.Config.Cmd}}{{.}} {{end}}')
    folder=$(config '{{.OCIv1.Config.WorkingDir}}')
    mapfile -t environment < <(config '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' | grep .)
    [ "$user" = pawsight ] || fail "it runs as '$user'"
    mkdir -p "$work/root"
    mount --bind "$root" "$work/root"
    mount -o remount,bind,ro "$work/root"
    mount -t tmpfs tmpfs "$work/root/tmp"
    mount -t tmpfs -o "uid=10001" tmpfs "$work/root/data"
    mount -t proc proc "$work/root/proc"
    mount --bind /dev "$work/root/dev"
}
config() { buildah "${storage[@]}" inspect --type image --format "$1" "pawsight:$target"; }
inside=(chroot --userspec=pawsight "$work/root" /usr/bin/env -i)
run() { "${inside[@]}" --chdir="${folder:-/}" "${environment[@]}" "$@"; }
start() { # ADDRESS ARGUMENT ...: its entry point, until the address answers
    say "$target: start: its entry point, its user, a read-only root"
    # shellcheck disable=SC2086 - the words of the entry point
    "${inside[@]}" --chdir="${folder:-/}" "${environment[@]}" $entry $command "${@:2}" &
    service=$!
    for _ in $(seq 300); do
        kill -0 "$service" || fail "it ended"
        curl --silent --fail "$1" >/dev/null && return
        sleep 0.2
    done
    fail "$1 does not answer"
}
stop() {
    if run /usr/bin/touch /opt/pawsight/x 2>/dev/null; then fail "its root can be written to"; fi
    kill -TERM "$service"
    wait "$service" || [ $? = 143 ] || fail "it did not end well"
    service=
    leave
}

try_api() {
    [ "$size" -le 350 ] || fail "$size MB over the base are more than 350"
    for name in torch lightning transformers pandas pip pytest tests; do
        [ -z "$(find "$root/opt" -maxdepth 6 -name "$name" -path '*site-packages*' -prune)" ] || fail "$name is inside"
    done
    start "http://127.0.0.1:$port/health/ready" --port "$port"
    say "api: ask"
    for model in auto custom pretrained; do
        answer=$(curl --silent --fail -F file=@examples/cat.jpg "http://127.0.0.1:$port/predict/$model")
        echo "$model: $answer" | cut -c1-110
        [[ $answer == *'"label":"cat"'* ]] || fail "$model does not see the cat: $answer"
    done
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --data-binary 'no picture' "http://127.0.0.1:$port/predict/auto")
    [ "$status" = 415 ] || fail "what is no picture is answered with $status"
    mapfile -t check < <(config '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' | grep . | tail -n +2)
    run "${check[@]//:8000/:$port}" || fail "the health check fails"
    stop
}

try_ui() {
    start "http://127.0.0.1:$port/_stcore/health" --port "$port"
    say "ui: look at the page"
    curl --silent --fail "http://127.0.0.1:$port/" >"$work/said"
    grep -q '<div id="root">' "$work/said" || fail "there is no page"
    if command -v chromium >/dev/null; then # what its tab is called, which the page's program says
        chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" \
            --remote-debugging-port=$((port + 1)) "http://127.0.0.1:$port/" 2>/dev/null &
        browser=$!
        for _ in $(seq 150); do
            title=$(curl --silent "http://127.0.0.1:$((port + 1))/json/list" | grep -o '"title": "[^"]*pawsight"') && break
            sleep 0.2
        done
        kill "$browser"
        echo "${title:-no title}"
        [ -n "$title" ] || fail "the page does not show its title"
    fi
    stop
}

try_train() {
    say "train: what its entry point does, and a batch"
    # shellcheck disable=SC2086 - the words of the entry point
    run $entry $command >"$work/said" # whole: who stops reading a pipe early makes its writer fail
    grep -q -- --images "$work/said" || fail "it does not say what it takes"
    run python -c 'import os, numpy as np; from PIL import Image
random = np.random.default_rng(0)
for label, red in (("cat", 250), ("dog", 50)):
    os.makedirs(f"album/{label}")
    for number in range(40):
        pixels = random.integers(0, red, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(f"album/{label}/{number}.png")'
    # shellcheck disable=SC2086 - the words of the entry point
    run $entry train --images album --output out --image-size 64 --debug batch | tail -n 3 | tee "$work/said"
    grep -q 'one batch went through training' "$work/said" || fail "it does not train"
    leave
}

for each in "${targets[@]}"; do
    enter "$each"
    "try_$each"
done
echo "container-test: all is well"
