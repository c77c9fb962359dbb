#!/bin/bash
# Runs inside a capsule: install_packages.sh SERVER PACKAGE...
#
# SERVER/debconf.selections, where there is one, answers the packages' questions.
# SERVER/use-backports, where there is one, prefers the distribution's backports suite.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

server=/srv/setup/$1
shift

# No package may start its daemon: the capsule does, with our configuration.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

apt=(apt-get -o Acquire::Retries=3 -o Dpkg::Options::=--force-unsafe-io -qq)
"${apt[@]}" update

prefer=()
if [[ -e $server/use-backports ]]; then
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  # The mirror this machine already uses for the distribution itself.
  # shellcheck disable=SC2016  # $(SITE) is apt's, not the shell's
  site=$(apt-get indextargets --format '$(SITE)' "Release: $codename" | sort -u | sed -n 1p)
  echo "deb $site $codename-backports main" >/etc/apt/sources.list.d/backports.list
  "${apt[@]}" update
  prefer=(-t "$codename-backports")
fi

if [[ -e $server/debconf.selections ]]; then
  debconf-set-selections "$server/debconf.selections"
fi
"${apt[@]}" install -y --no-install-recommends "${prefer[@]}" "$@"
