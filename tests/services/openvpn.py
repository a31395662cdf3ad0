"""A real OpenVPN server in a container, and configurations for its clients."""

import secrets
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vantage6.common.clock import now

_PEM = serialization.Encoding.PEM
NETWORK, MASK = "10.76.0.0", "255.255.0.0"


class Authority:
    """Signs the certificates of a server and its clients."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        signed = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.certificate = self._signed(signed)

    def issue(self, name: str, usage: x509.ObjectIdentifier, hours: float = 1) -> tuple[str, str]:
        """Return a certificate and its key as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key, hours)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(_for_signatures(), critical=True)
        private = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._signed(builder), private.decode()

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, hours: float = 1
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(
                self._name, subject, key.public_key(), x509.random_serial_number()
            )
            .not_valid_before(now() - timedelta(hours=2))
            .not_valid_after(now() + timedelta(hours=hours))
        )

    def _signed(self, builder: x509.CertificateBuilder) -> str:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM).decode()


def _for_signatures() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=True,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


class OpenVpnServer:
    """A server whose clients reach each other."""

    def __init__(self, engine: docker.APIClient, image: str, folder: Path) -> None:
        self._engine = engine
        self._image = image
        self._folder = folder
        self._authority = Authority()
        folder.mkdir()
        secret = secrets.token_hex(256)
        lines = [secret[start : start + 32] for start in range(0, len(secret), 32)]
        kind = "OpenVPN Static key V1"
        self._shared = "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])
        cert, private = self._authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
        (folder / "server.conf").write_text(
            "dev tun\ntopology subnet\nproto udp\nport 1194\nkeepalive 1 10\n"
            f"server {NETWORK} {MASK}\nclient-to-client\nduplicate-cn\ndh none\ndisable-dco\n"
            + self._blocks(cert=cert, key=private)
        )

    def profile(self) -> str:
        """Return a configuration for clients, without keys."""
        return self._configuration()

    def keys(self, hours: float = 1) -> tuple[str, str]:
        """Return a certificate for a client, which may have run out, and its key."""
        return self._authority.issue("client", ExtendedKeyUsageOID.CLIENT_AUTH, hours)

    def client(self, hours: float = 1) -> str:
        """Return a configuration for a client; its certificate may have run out."""
        cert, private = self.keys(hours)
        return self._configuration(cert=cert, key=private)

    def _configuration(self, **keys: str) -> str:
        return (
            f"client\ndev tun\nproto udp\nremote {self.address} 1194\nnobind\n"
            "remote-cert-tls server\n" + self._blocks(**keys)
        ).replace("\n", "\r\n")

    def _blocks(self, **keys: str) -> str:
        parts = {"ca": self._authority.certificate, **keys, "tls-crypt": self._shared}
        return "".join(f"<{name}>\n{text.strip()}\n</{name}>\n" for name, text in parts.items())

    def __enter__(self) -> Self:
        file = str(self._folder / "server.conf")
        self._id = self._engine.create_container(
            self._image,
            command=["openvpn", "--config", "/server.conf"],
            host_config=self._engine.create_host_config(
                binds={file: {"bind": "/server.conf", "mode": "ro"}},
                cap_add=["NET_ADMIN"],
                devices=["/dev/net/tun:/dev/net/tun:rwm"],
            ),
        )["Id"]
        self._engine.start(self._id)
        details = self._engine.inspect_container(self._id)
        self.address = details["NetworkSettings"]["IPAddress"]
        for _ in range(300):
            if b"Initialization Sequence Completed" in self._engine.logs(self._id):
                return self
            time.sleep(0.1)
        said = self._engine.logs(self._id).decode()
        self._remove()
        raise AssertionError(said)

    def restart(self) -> None:
        """Forget all clients."""
        self._engine.restart(self._id, timeout=1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        self._engine.remove_container(self._id, force=True)
