#!/bin/bash
# Runs inside the capsule and stays until Exim ends.
set -euo pipefail

setup=/srv/setup/exim

useradd --uid 5000 --user-group --no-create-home --shell /usr/sbin/nologin vmail
install -d -o vmail -g vmail /srv/mail/boxes
install -d -o Debian-exim -g Debian-exim /srv/mail/log

install -m 644 -t /etc/exim4 "$setup"/{exim4.conf,mailboxes,passwords}
# Exim reads the key after it has given up root.
install -m 600 -o Debian-exim /srv/certificates/server.pem /etc/exim4/server.pem

exec exim4 -bdf -q1m
