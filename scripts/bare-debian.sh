#!/usr/bin/env bash
# Run a command of this project in a bare Debian, as on a machine that nobody prepared:
#
#   bare-debian.sh [COMMAND...]     default: make demo
#
# A root of Debian's packages (debootstrap) with `make`, and a fresh clone of what is committed here;
# no Python, no caches, no earlier packages; its own devices, processes and network, from where
# only the outside is reached. Of this machine it takes the mirror of apt and, where they are set, the
# settings of pip and proxies (PIP_*, *_proxy), with the certificates that they name. CI and T are
# passed on. Everything is gone afterwards. Needs root.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/.."

fail() {
    echo "bare-debian: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root"
for program in debootstrap git slirp4netns unshare; do
    command -v "$program" >/dev/null || fail "$program is missing: scripts/debian-packages.sh"
done
[ "$#" != 0 ] || set -- make demo
release=bookworm
mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
    grep -m 1 '/debian/\?$') || mirror=http://deb.debian.org/debian

work=$(mktemp -d /var/tmp/bare-debian-XXXXXX)
root=$work/root
inside=
network=
finish() {
    # The first process of the namespace takes all others with it.
    [ -z "$inside" ] || kill -KILL "$inside" 2>/dev/null || true
    [ -z "$network" ] || kill "$network" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo "making Debian $release in $work ..."
debootstrap --variant=minbase --include=make,git "$release" "$root" "$mirror" >"$work/log" 2>&1 ||
    fail "$(tail -n 3 "$work/log")"
chmod 755 "$root"
git clone --quiet --no-hardlinks . "$root/root/vantage6"
# Where slirp4netns answers for the name servers of this machine.
echo "nameserver 10.0.2.3" >"$root/etc/resolv.conf"
echo "127.0.0.1 localhost" >"$root/etc/hosts"

variables=(HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r name; do
    variables+=("$name=${!name}")
done < <(compgen -e | grep -E '^(CI|T|PIP_(INDEX_URL|DEFAULT_TIMEOUT)|.*_(proxy|PROXY))$')
authorities=${PIP_CERT:-${SSL_CERT_FILE:-}}
if [ -n "$authorities" ]; then
    install -D -m 644 "$authorities" "$root/etc/ssl/certs/authorities.pem"
    variables+=(PIP_CERT=/etc/ssl/certs/authorities.pem)
    # What npm asks, which builds the web pages.
    variables+=(NODE_EXTRA_CA_CERTS=/etc/ssl/certs/authorities.pem)
fi

# What a kernel with an init would have prepared; /dev/net/tun is closed to others, as on some machines.
cat >"$work/prepare" <<'END'
set -euo pipefail
root=$1
shift
mount --bind "$root" "$root"
cd "$root"
mount -t tmpfs -o mode=755 none dev
device() { mknod -m "$1" "dev/$2" "$3" "$4" "$5"; }
device 666 null c 1 3
device 666 zero c 1 5
device 666 full c 1 7
device 666 random c 1 8
device 666 urandom c 1 9
device 666 tty c 5 0
device 660 loop-control c 10 237
device 666 fuse c 10 229
for number in $(seq 0 31); do device 660 "loop$number" b 7 "$number"; done
mkdir dev/net dev/pts dev/shm
device 600 net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=666,gid=5 none dev/pts
mount -t tmpfs -o mode=1777 none dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for name in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/${name#*:}" "dev/${name%:*}"; done
mount -t proc none proc
mount -t sysfs none sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount -t tmpfs -o mode=755 none run
ip link set lo up
# Until the network is there.
until [ -e "$root/../connected" ]; do sleep 0.1; done
mkdir old
pivot_root . old
umount -l old
rmdir old
cd /root/vantage6
status=0
env -i "$@" </dev/null || status=$?
exit "$status"
END
unshare --mount --propagation private --pid --fork --kill-child --net --ipc --uts \
    bash "$work/prepare" "$root" "${variables[@]}" "$@" &
unshared=$!
until inside=$(pgrep --parent "$unshared"); do
    kill -0 "$unshared" 2>/dev/null || fail "the namespaces cannot be made"
    sleep 0.1
done
slirp4netns --configure --mtu=65520 --disable-host-loopback "$inside" tap0 \
    >"$work/network.log" 2>&1 &
network=$!
until nsenter --net --target "$inside" ip route 2>/dev/null | grep -q ^default; do
    kill -0 "$network" 2>/dev/null || fail "$(tail -n 3 "$work/network.log")"
    sleep 0.1
done
touch "$work/connected"
status=0
wait "$unshared" || status=$?
exit "$status"
