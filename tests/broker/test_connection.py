"""Connections are bounded in time and, where they are encrypted, checked."""

import socket
import ssl
import subprocess

import pytest
import redis

from tests.services import needs
from tests.services.certificate import write_certificate
from tests.waiting import eventually
from vantage6.broker.connection import BrokerUnavailable, celery_settings, client
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.sender import ControlSender


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate of the loopback address, which is its own authority."""
    return write_certificate(tmp_path)[0]


@pytest.fixture
def encrypted(certificate):
    """Start a Redis that speaks TLS, and give its URL."""
    # The bundled server was built without TLS.
    executable = needs("redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "port": 0,
        "tls-port": port,
        "tls-cert-file": certificate,
        "tls-key-file": certificate.with_name("key.pem"),
        "tls-auth-clients": "no",
        "dir": certificate.parent,
    }
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen([executable, *arguments], stdout=subprocess.DEVNULL)
    url = f"rediss://127.0.0.1:{port}/0"
    with client(f"{url}?ssl_ca_certs={certificate}", retries=0) as administrator:

        def answers():
            try:
                return administrator.ping()
            except redis.ConnectionError:
                return False

        eventually(answers)
    yield url
    process.kill()
    process.wait(10)


@pytest.mark.slow
def test_an_encrypted_broker_is_used_when_its_authority_is_known(encrypted, certificate, inbox):
    url = f"{encrypted}?ssl_ca_certs={certificate}"

    assert Publisher(url).publish([(7, ResultReady(1, 1))]) == 1
    assert inbox(url, 7).take(1) == [ResultReady(1, 1)]
    assert ControlSender(url).kick("tasks.fan_out", 1)


@pytest.mark.slow
def test_an_encrypted_broker_with_an_unknown_authority_is_refused(encrypted, inbox, events):
    with pytest.raises(BrokerUnavailable):
        Publisher(encrypted).publish([(7, ResultReady(1, 1))])
    with pytest.raises(BrokerUnavailable):
        inbox(encrypted, 7).consumer.run_once()
    assert not ControlSender(encrypted).kick("tasks.fan_out", 1)
    assert "CERTIFICATE_VERIFY_FAILED" in repr(events)


def test_certificates_are_required_unless_the_url_says_otherwise():
    settings = celery_settings("rediss://broker/0")

    assert settings["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert "broker_use_ssl" not in celery_settings("rediss://broker/0?ssl_cert_reqs=none")
    assert "broker_use_ssl" not in celery_settings("redis://broker/0")


def test_no_connection_waits_for_ever():
    with client("redis://broker/0", read_seconds=0.2) as bounded:
        options = bounded.connection_pool.connection_kwargs
    celery_options = celery_settings("redis://broker/0")["broker_transport_options"]

    for name in ("socket_connect_timeout", "socket_timeout"):
        assert options[name] > 0
        assert celery_options[name] > 0
