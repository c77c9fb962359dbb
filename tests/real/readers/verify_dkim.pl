#!/usr/bin/perl
# Whether Perl's Mail::DKIM takes a signature for good: verify_dkim.pl KEY_RECORD <MESSAGE
#
# KEY_RECORD is what the DNS would have under the selector, as text.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

package TheRecord {
    sub new { my ($class, $text) = @_; return bless { text => $text }, $class }
    sub errorstring { return 'NOERROR' }

    sub send {
        my ($self, $name, $type) = @_;
        my $answer = Net::DNS::Packet->new($name, $type);
        my @pieces = $self->{text} =~ /.{1,255}/gs;
        $answer->push(answer => Net::DNS::RR->new(
            owner => $name, type => 'TXT', txtdata => \@pieces));
        $answer->header->rcode('NOERROR');
        return $answer;
    }
}

Mail::DKIM::DNS::resolver(TheRecord->new($ARGV[0]));
my $verifier = Mail::DKIM::Verifier->new;
binmode STDIN;
local $/;
$verifier->PRINT(scalar <STDIN>);
$verifier->CLOSE;
print $verifier->result_detail, "\n";
