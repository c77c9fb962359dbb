#!/bin/bash
# Runs inside the capsule and stays until Postfix ends.
set -euo pipefail

setup=/srv/setup/postfix

# main.cf names the number.
useradd --uid 5000 --user-group --no-create-home --shell /usr/sbin/nologin vmail
install -d -o vmail -g vmail /srv/mail/boxes

install -m 644 -t /etc/postfix "$setup"/{main.cf,master.cf}
install -m 644 -t /etc/postfix "$setup"/{mailboxes,recipients,senders,headers}.regexp
install -m 644 -t /etc/dovecot "$setup"/{dovecot.conf,oauth2.conf,users}

# One file for each access token, written by the tests.
install -d /srv/mail/tokens
setpriv --reuid=vmail --regid=vmail --clear-groups \
  perl "$setup/introspection.pl" 10580 /srv/mail/tokens &

# It returns when its authentication socket listens.
dovecot

exec postfix start-fg
