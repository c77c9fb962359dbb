#!/usr/bin/perl
# An OpenSMTPD filter (smtpd-filters(7)) that refuses, after the dot, what has REJECTME as Subject.
# Without one, OpenSMTPD 7.4 refuses nothing there but a message that is too long.
use strict;
use warnings;

$| = 1;
my %in_header;    # by session: the header of the message has not ended yet
my %refused;      # by session: the Subject was seen

while (my $line = <STDIN>) {
    chomp $line;
    if ($line eq 'config|ready') {
        print "register|filter|smtp-in|$_\n" for qw(data data-line commit);
        print "register|ready\n";
        next;
    }
    # filter|VERSION|TIME|smtp-in|PHASE|SESSION|TOKEN|PARAMETERS
    my ($kind, $phase, $session, $token, $rest) = (split /\|/, $line, 8)[0, 4 .. 7];
    next if $kind ne 'filter';

    if ($phase eq 'data-line') {
        $in_header{$session} &&= $rest ne '';
        $refused{$session} ||= $in_header{$session} && $rest =~ /^Subject: .*REJECTME/;
        print "filter-dataline|$session|$token|$rest\n";
        next;
    }
    my $verdict = 'proceed';
    if ($phase eq 'data') {
        $in_header{$session} = 1;
        $refused{$session} = 0;
    }
    elsif ($refused{$session}) {
        $verdict = 'reject|550 5.7.1 content refused by policy';
    }
    print "filter-result|$session|$token|$verdict\n";
}
