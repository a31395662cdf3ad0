"""A certificate of the loopback interface, which is its own authority."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vantage6.common.clock import now

_HOUR = timedelta(hours=1)


def certificate(host: str = "localhost", ends: timedelta = _HOUR) -> tuple[str, str]:
    """Return a certificate for a name and its key, as PEM.

    Parameters
    ----------
    host
        The name; that of loopback stands for ``127.0.0.1`` too.
    ends
        When it ends, from now on.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ip_address("127.0.0.1")))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() + min(ends, timedelta()) - _HOUR)
        .not_valid_after(now() + ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(pem).decode(), private.decode()


def write_certificate(
    folder: Path, host: str = "localhost", ends: timedelta = _HOUR
) -> tuple[Path, Path]:
    """Write a certificate and its key, as `certificate` makes them, and return both files."""
    files = folder / "certificate.pem", folder / "key.pem"
    for file, text in zip(files, certificate(host, ends), strict=True):
        file.write_text(text)
    return files
