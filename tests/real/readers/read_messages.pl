#!/usr/bin/perl
# What Perl's Email::MIME reads in messages: read_messages.pl
#
# On standard input stands each message behind a line with the number of its octets; on standard
# output comes a line of JSON for each: an entity with its fields, parameters and parts. The octets
# of a part are base64, and text is text.
use strict;
use warnings;
use Email::MIME;
use Email::MIME::ContentType qw(parse_content_type parse_content_disposition);
use Email::MIME::Encode;
use Email::MIME::Header::AddressList;
use Encode ();
use JSON::PP;
use MIME::Base64 qw(encode_base64);

my %is_address_field = map { $_ => 1 } qw(from sender reply-to to cc bcc);
my $json = JSON::PP->new->utf8;

binmode STDIN;
binmode STDOUT;
$| = 1;
while (defined(my $length = <STDIN>)) {
    $length =~ /^[0-9]+$/ or die "no length: $length";
    my $octets = '';
    while ($length > length $octets) {
        read STDIN, $octets, $length - length $octets, length $octets or die "cut short\n";
    }
    my @warnings;
    local $SIG{__WARN__} = sub { push @warnings, "@_" };
    my $entity = entity(Email::MIME->new($octets));
    $entity->{warnings} = \@warnings;
    print $json->encode($entity), "\n";
}

sub entity {
    my ($mime) = @_;
    my (@fields, %mailboxes);
    for my $field (unfolded($mime->header_obj->as_string)) {
        my ($name, $text) = $field =~ /^([!-9;-~]+):[ \t]*(.*)\z/ or die "no field: $field\n";
        if ($is_address_field{lc $name}) {
            my $list = Email::MIME::Header::AddressList->from_mime_string($text);
            push @{ $mailboxes{ lc $name } },
                map { [$_->phrase // '', $_->address // 'no address'] } $list->addresses;
            push @fields, [$name, $text];
        }
        else {
            push @fields, [$name, Email::MIME::Encode::maybe_mime_decode_header($name, $text)];
        }
    }
    @fields == $mime->header_raw_pairs / 2 or die "more fields than were read, or fewer\n";
    my $type = parse_content_type(characters($mime->header_raw('Content-Type')));
    my $disposition = $mime->header_raw('Content-Disposition');
    $disposition &&= parse_content_disposition(characters($disposition));
    my %entity = (
        fields    => \@fields,
        mailboxes => \%mailboxes,
        type      => "$type->{type}/$type->{subtype}",
        parameters => $type->{attributes},
        disposition => $disposition && $disposition->{type},
        disposition_parameters => $disposition ? $disposition->{attributes} : {},
    );
    if ($type->{type} eq 'multipart') {
        $entity{parts} = [map { entity($_) } $mime->subparts];
    }
    else {
        $entity{octets} = encode_base64($mime->body, '');
    }
    return \%entity;
}

# By RFC 5322 section 2.2.3. Email::MIME's own way makes one blank of all that a line begins with.
sub unfolded {
    my ($section) = @_;
    $section = characters($section);
    $section =~ s/\r\n(?=[ \t])//g;
    return split /\r\n/, $section;
}

# The octets of a field, UTF-8 where a message is internationalised (RFC 6532).
sub characters {
    my ($octets) = @_;
    return defined $octets ? Encode::decode('UTF-8', $octets, Encode::FB_CROAK) : undef;
}
