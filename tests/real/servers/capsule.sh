#!/bin/bash
# A capsule: one mail server in a private copy-on-write view of this machine.
#
#   capsule.sh install CAPSULE SERVER PACKAGE...
#   capsule.sh run     CAPSULE SERVER CERTIFICATES
#
# Debian's mail servers exclude each other as packages and listen where they like, so each one is
# installed into an overlay of / and runs chrooted there. The machine itself is never changed.
# capsule.py calls this script under `unshare --mount --pid --fork`, so every mount below disappears
# with the last process, and killing the script, which is PID 1 of its process namespace, ends
# everything it began, however often the daemons have forked.
#
# In CAPSULE:  installed/  what the packages added to the machine, kept between runs
#              changes/    what the running server changes, thrown away at the next start
#              data/       mailboxes and logs: /srv/mail in the capsule
#              pid         process id and start time of the script during `run`
set -euo pipefail

setup=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

overlay() { # LOWER UPPER MOUNT_POINT
  mkdir -p "$2" "$2.work" "$3"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$2.work" "$3"
}

mount_system() { # ROOT
  local root=$1 device
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s /proc/self/fd/0 "$root/dev/stdin"
  ln -s /proc/self/fd/1 "$root/dev/stdout"
  ln -s /proc/self/fd/2 "$root/dev/stderr"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mkdir "$root/run/lock"
  bind_read_only "$setup" "$root/srv/setup"
}

bind_read_only() { # SOURCE TARGET
  mkdir -p "$2"
  mount --bind "$1" "$2"
  mount -o remount,bind,ro "$2"
}

# The old file goes first: where it is a symbolic link, writing through it would leave the overlay.
write_resolver() { # ROOT CONTENT
  rm -f "$1/etc/resolv.conf"
  printf '%s\n' "$2" >"$1/etc/resolv.conf"
}

install_server() { # CAPSULE SERVER PACKAGE...
  local capsule=$1 server=$2
  shift 2
  # A half-finished installation has no marker and is begun again from nothing.
  rm -rf "$capsule/installed" "$capsule/installed.work"
  overlay / "$capsule/installed" "$capsule/root"
  mount_system "$capsule/root"
  write_resolver "$capsule/root" "$(cat /etc/resolv.conf)"
  chroot "$capsule/root" bash /srv/setup/install_packages.sh "$server" "$@"
}

run_server() { # CAPSULE SERVER CERTIFICATES
  local capsule=$1 server=$2 certificates=$3 stat
  # /proc is still the machine's, so these are the number and start time seen from outside.
  read -r -a stat </proc/self/stat
  printf '%s %s\n' "${stat[0]}" "${stat[21]}" >"$capsule/pid.new"
  mv "$capsule/pid.new" "$capsule/pid"

  # An overlay refuses a lower layer that lies below another one, hence two of them, stacked.
  rm -rf "$capsule/changes" "$capsule/changes.work" "$capsule/data"
  mkdir "$capsule/data"
  overlay / "$capsule/installed" "$capsule/base"
  overlay "$capsule/base" "$capsule/changes" "$capsule/root"
  local root=$capsule/root
  mount_system "$root"
  mkdir -p "$root/srv/mail"
  mount --bind "$capsule/data" "$root/srv/mail"
  bind_read_only "$certificates" "$root/srv/certificates"
  # Nothing answers there: no name is ever looked up outside this machine.
  write_resolver "$root" 'nameserver 127.0.0.1'
  printf '127.0.0.1 localhost\n127.0.0.1 mx.example.test mx\n' >"$root/etc/hosts"

  # A child rather than `exec`: the shell stays PID 1 and reaps what the daemons leave behind.
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    chroot "$root" bash "/srv/setup/$server/start.sh" &
  wait $!
}

case $1 in
  install) install_server "${@:2}" ;;
  run) run_server "${@:2}" ;;
  *)
    echo "capsule.sh: unknown action: $1" >&2
    exit 2
    ;;
esac
