"""Profiles of OpenVPN: what is let through, and what is refused by its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.eduvpn import PROFILE
from vantage6.common.vpn_profile import Profile, Remote, UnknownDirective

#: As an EduVPN portal of version 2 writes it.
USUAL = """\
# OpenVPN Client Configuration
dev tun
client
nobind
remote-cert-tls server
server-poll-timeout 10
tls-version-min 1.2
data-ciphers AES-256-GCM:CHACHA20-POLY1305
auth SHA256 ; of old
cipher AES-256-CBC
reneg-sec 0
verify-x509-name "vpn.example org" name
verb 3
remote vpn.example.org 1194 udp
remote vpn.example.org 443 tcp
"""
BLOCKS = PROFILE[PROFILE.index("<ca>") :]

#: What makes OpenVPN run programs, load libraries, or touch files, however it is written.
HOSTILE = [
    "plugin /usr/lib/openvpn/openvpn-plugin-down-root.so",
    "--plugin /tmp/x.so",
    '"plugin" /tmp/x.so',
    "pl\\ugin /tmp/x.so",
    "script-security 2",
    "up /bin/sh",
    "down /bin/sh",
    "route-up /bin/sh",
    "ipchange /bin/sh",
    "tls-verify /bin/sh",
    "auth-user-pass-verify /bin/sh via-env",
    "client-connect /bin/sh",
    "learn-address /bin/sh",
    "iproute /bin/sh",
    "engine dynamic",
    "providers legacy /tmp/x.so",
    "pkcs11-providers /tmp/x.so",
    "config /etc/shadow",
    "askpass /etc/shadow",
    "auth-user-pass /etc/shadow",
    "http-proxy 10.0.0.1 80",
    "http-proxy-user-pass /etc/shadow",
    "socks-proxy 10.0.0.1 80",
    "log /etc/cron.d/x",
    "status /etc/cron.d/x",
    "writepid /etc/cron.d/x",
    "replay-persist /etc/cron.d/x",
    "management 0.0.0.0 7505",
    "chroot /tmp",
    "cd /tmp",
    "user root",
    "dev-node /dev/sda",
    "route 10.0.0.0 255.0.0.0",
    "local 0.0.0.0",
    "setenv LD_PRELOAD /tmp/x.so",
    "ca /etc/shadow",
    "cert /etc/shadow",
    "tls-crypt /etc/shadow",
    "<connection>",
    "<secret>",
    "<ca",
    "auth none none",
    "remote vpn.example.org 1194 udp6 x",
    "remote -x 1194",
    "verb 3 plugin",
    "tls-version-min 1.0",
]


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n \t"])
def test_directive_that_is_not_known_is_refused_by_name(line: str, newline: str) -> None:
    with pytest.raises(UnknownDirective) as caught:
        Profile.parse(newline.join([*USUAL.splitlines(), line, BLOCKS]))
    name = line.removeprefix("--").split()[0].strip('"').replace("\\", "")
    assert name in caught.value.message
    # What follows the name may be a secret.
    assert "/etc/shadow" not in caught.value.message


def test_usual_profile_stays_what_it_is() -> None:
    profile = Profile.parse(USUAL + BLOCKS)
    text = profile.text()
    assert Profile.parse(text) == profile
    assert 'verify-x509-name "vpn.example org" name\n' in text
    assert "auth SHA256\n" in text
    assert "#" not in text
    assert text.endswith(BLOCKS)
    assert profile.remotes() == [
        Remote("vpn.example.org", 1194, "udp"),
        Remote("vpn.example.org", 443, "tcp"),
    ]


def test_servers_are_replaced_by_their_addresses() -> None:
    profile = Profile.parse("proto tcp-client\nport 443\nremote vpn\nremote vpn 8443\n" + BLOCKS)
    assert profile.remotes() == [Remote("vpn", 443, "tcp"), Remote("vpn", 8443, "tcp")]
    there = profile.at([Remote("192.0.2.1", 443, "tcp")])
    assert there.text().startswith("remote 192.0.2.1 443 tcp\n<ca>")


@pytest.mark.parametrize(
    "inside",
    ["", "up /bin/sh", "-----BEGIN CERTIFICATE-----\nup /bin/sh\n-----END CERTIFICATE-----"],
)
def test_inline_file_is_what_it_is_called(inside: str) -> None:
    with pytest.raises(UnknownDirective, match="<ca>"):
        Profile.parse(f"client\n<ca>\n{inside}\n</ca>\n")


def test_what_stands_around_an_inline_file_is_left_out() -> None:
    profile = Profile.parse(PROFILE.replace("<ca>\n", "<ca>\nCertificate:\n  up /bin/sh\n"))
    assert profile.text() == PROFILE


def test_profile_without_an_end_is_refused() -> None:
    with pytest.raises(UnknownDirective, match="no end"):
        Profile.parse("client\n<ca>\n-----BEGIN CERTIFICATE-----\n")
    with pytest.raises(UnknownDirective, match="too long"):
        Profile.parse("#" * 2**19)


@given(st.text(max_size=400))
def test_nothing_but_known_lines_is_ever_written(text: str) -> None:
    try:
        written = Profile.parse(text).text()
    except UnknownDirective:
        return
    assert Profile.parse(written).text() == written
    assert written.isascii()
