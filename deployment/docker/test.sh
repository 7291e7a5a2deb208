#!/usr/bin/env bash
# Build the image of the service, start it as it is started in production (its own entry point, its
# user, a read-only root) and ask it. Needs root and Debian's buildah and debootstrap, no engine:
#
#   deployment/docker/test.sh [FOLDER]
#
# FOLDER keeps the base and the layers for the next time; by default a temporary one.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${1:-$(mktemp -d)}
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

say "build"
proxy=()
if [ -n "${PIP_CERT:-}" ]; then # of a proxy between here and PyPI
    proxy=(--volume "$PIP_CERT:/proxy.pem:ro" --build-arg PIP_CERT=/proxy.pem)
fi
buildah "${storage[@]}" bud --quiet --format docker --isolation chroot --pull-never --layers \
    "${proxy[@]}" --file deployment/docker/Dockerfile --target api --tag pawsight:api . >/dev/null

inside=$(buildah "${storage[@]}" from --pull-never pawsight:api)
root=$(buildah "${storage[@]}" mount "$inside")
under=$(buildah "${storage[@]}" from --pull-never "$base")
below=$(buildah "${storage[@]}" mount "$under")
cleanup() {
    [ -z "${service:-}" ] || kill "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    umount "$work/root/data" "$work/root/tmp" "$work/root/dev" "$work/root/proc" "$work/root" 2>/dev/null || true
    buildah "${storage[@]}" umount "$inside" "$under" >/dev/null 2>&1 || true
    buildah "${storage[@]}" rm "$inside" "$under" >/dev/null 2>&1 || true
}
trap cleanup EXIT

say "what is in it"
size=$(($(du -sm "$root" | cut -f1) - $(du -sm "$below" | cut -f1)))
echo "$size MB over the base"
[ "$size" -le 350 ] || fail "$size MB over the base are more than 350"
for name in torch lightning transformers pandas pip pytest tests; do
    [ -z "$(find "$root/opt" -maxdepth 6 -name "$name" -path '*site-packages*' -prune)" ] || fail "$name is inside"
done
for name in gcc cc g++ make git curl; do
    [ ! -e "$root/usr/bin/$name" ] || fail "$name is inside"
done

say "start: its entry point, its user, a read-only root"
config() { buildah "${storage[@]}" inspect --type image --format "$1" pawsight:api; }
user=$(config '{{.OCIv1.Config.User}}')
entry=$(config '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}{{range .OCIv1.Config.Cmd}}{{.}} {{end}}')
mapfile -t environment < <(config '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' | grep .)
[ "$user" = pawsight ] || fail "it runs as '$user'"
mkdir -p "$work/root"
mount --bind "$root" "$work/root"
mount -o remount,bind,ro "$work/root"
mount -t tmpfs tmpfs "$work/root/tmp"
mount -t tmpfs -o "uid=10001" tmpfs "$work/root/data"
mount -t proc proc "$work/root/proc"
mount --bind /dev "$work/root/dev"
# shellcheck disable=SC2086 - the words of the entry point
chroot --userspec="$user" "$work/root" /usr/bin/env -i "${environment[@]}" $entry --port "$port" &
service=$!
for _ in $(seq 300); do
    kill -0 "$service" || fail "it ended"
    curl --silent --fail "http://127.0.0.1:$port/health/ready" >/dev/null && break
    sleep 0.2
done

say "ask"
for model in auto custom pretrained; do
    answer=$(curl --silent --fail -F file=@examples/cat.jpg "http://127.0.0.1:$port/predict/$model")
    echo "$model: $answer" | cut -c1-110
    [[ $answer == *'"label":"cat"'* ]] || fail "$model does not see the cat: $answer"
done
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --data-binary 'no picture' "http://127.0.0.1:$port/predict/auto")
[ "$status" = 415 ] || fail "what is no picture is answered with $status"
mapfile -t check < <(config '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' | grep . | tail -n +2)
if [ "$port" = 8000 ]; then
    chroot --userspec="$user" "$work/root" /usr/bin/env -i "${environment[@]}" "${check[@]}" || fail "the health check fails"
fi
if chroot --userspec="$user" "$work/root" /usr/bin/touch /opt/pawsight/x 2>/dev/null; then fail "its root can be written to"; fi

say "stop"
kill -TERM "$service"
wait "$service" || [ $? = 143 ] || fail "it did not end well"
service=
echo "container-test: all is well"
