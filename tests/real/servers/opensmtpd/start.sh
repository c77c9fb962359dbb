#!/bin/bash
# Runs inside the capsule and stays until OpenSMTPD ends.
set -euo pipefail

setup=/srv/setup/opensmtpd

# Deliveries run through the user's shell.
useradd --uid 5000 --user-group --no-create-home --shell /bin/sh vmail
install -d -o vmail -g vmail /srv/mail/boxes

install -m 644 -t /etc "$setup"/{smtpd.conf,mailboxes,refuse_content.pl}
# A key others could read is refused.
install -m 600 /srv/certificates/server.pem /etc/server.pem

install -m 640 -g opensmtpd /dev/null /etc/credentials
while IFS=: read -r user password; do
  printf '%s %s\n' "$user" "$(smtpctl encrypt "$password")"
done <"$setup/users" >/etc/credentials

smtpd -n
exec smtpd -d -v
