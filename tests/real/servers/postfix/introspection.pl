#!/usr/bin/perl
# An OAuth2 token introspection endpoint (RFC 7662): introspection.pl PORT FOLDER
#
# Dovecot asks here whether a token is good. FOLDER has one file for each token, named like it, with
# a line each for when it expires, in seconds since 1970, whom it is for, and the answer.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $folder) = @ARGV;
my $ourselves = 'submission';

my $listener = IO::Socket::INET->new(
    LocalAddr => "127.0.0.1:$port",
    Listen    => 64,
    ReuseAddr => 1,
) or die "port $port: $@\n";

$SIG{CHLD} = 'IGNORE';
while (1) {
    my $client = $listener->accept or next;
    # Nobody waits for a client that connects and says nothing.
    my $child = fork // die "fork: $!\n";
    if ($child == 0) {
        close $listener;
        alarm 10;
        serve($client);
        exit 0;
    }
    close $client;
}

sub serve {
    my ($client) = @_;
    my $request = <$client> // return;
    my $length = 0;
    while (defined(my $field = <$client>)) {
        last if $field =~ /^\r?\n$/;
        $length = $1 if $field =~ /^content-length:\s*([0-9]+)/i;
    }
    my $form = '';
    read $client, $form, $length if $length;
    if ($request !~ m{^POST /introspect }) {
        return answer($client, '404 Not Found', '');
    }
    my ($token) = $form =~ /(?:^|&)token=([A-Za-z0-9_-]+)(?:&|$)/;
    # RFC 7662 section 2.2: of a token that is not good nothing else is said.
    answer($client, '200 OK', good($token) // '{"active": false}');
}

sub good {
    my ($token) = @_;
    return if !defined $token;
    open my $file, '<', "$folder/$token" or return;
    chomp(my ($expires, $audience, $answer) = <$file>);
    return if $expires <= time || $audience ne $ourselves;
    return $answer;
}

sub answer {
    my ($client, $status, $json) = @_;
    print {$client} "HTTP/1.1 $status\r\nContent-Type: application/json\r\n",
        'Content-Length: ', length $json, "\r\nConnection: close\r\n\r\n", $json;
}
