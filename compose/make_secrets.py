"""Make the secrets of a deployment, each once, for the one service that needs it.

Run by compose.yaml before everything else, in the image of the server, with one volume for each
service in the folder that the first argument names. A certificate that the administrator gives, in
the folder of the second argument, comes before one of our own making.
"""

import hashlib
import ipaddress
import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Users in the images that read the files.
SERVER, REDIS, POSTGRES, NGINX, PROMETHEUS = 10001, 999, 999, 101, 65534
_DAYS = 825

# `default` is off, so nobody can be it, but it keeps its rights: Redis 7 replays the transactions
# in its append-only file under that name, and silently skips those that the name has no right to.
# `health` can ask whether Redis is there, and nothing else.
_USERS = """\
user default off resetpass ~* &* +@all
user health on nopass resetchannels -@all +ping
user v6-server on #{hash} ~v6:* &* +@all -@admin -@dangerous +client +acl|setuser +acl|deluser
"""


def write(path: Path, text: str, owner: int) -> None:
    """Replace a file as a whole; only its owner can read it, from its first moment on."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        file.write(text)
        os.fchown(file.fileno(), owner, owner)
    fresh.replace(path)


def make_secrets(out: Path) -> None:
    """Write what the services need of each other, unless an earlier call came to its end."""
    last = out / "server" / "root_password"
    if last.exists():
        return
    broker, database, metrics = (secrets.token_hex(32) for _ in range(3))
    users = _USERS.format(hash=hashlib.sha256(broker.encode()).hexdigest())
    write(out / "redis" / "users.acl", users, REDIS)
    write(out / "postgres" / "password", database, POSTGRES)
    write(out / "prometheus" / "token", metrics, PROMETHEUS)
    write(out / "server" / "metrics_token", metrics, SERVER)
    # Nobody but the server has to trust it, and nobody looks after it.
    certificate, key = self_signed("redis", days=10 * _DAYS)
    write(out / "redis" / "certificate.pem", certificate, REDIS)
    write(out / "redis" / "key.pem", key, REDIS)
    write(out / "server" / "redis.pem", certificate, SERVER)
    url = f"rediss://v6-server:{broker}@redis:6379/0?ssl_ca_certs=/run/vantage6/redis.pem"
    write(out / "server" / "broker", url, SERVER)
    uri = f"postgresql://vantage6:{database}@postgres:5432/vantage6"
    write(out / "server" / "database", uri, SERVER)
    # Fulfils every rule for passwords of people.
    write(last, f"{secrets.token_urlsafe(18)}-Aa1", SERVER)


def make_certificate(out: Path, given: Path, host: str) -> None:
    """Take the certificate that is given, or make one of our own."""
    files = ("certificate.pem", "key.pem")
    if all((given / name).exists() for name in files):
        for name in files:
            write(out / "tls" / name, (given / name).read_text(), NGINX)
        print(f"The certificate is the one in the folder {given.name}.")
    elif not all((out / "tls" / name).exists() for name in files):
        for name, text in zip(files, self_signed(host), strict=True):
            write(out / "tls" / name, text, NGINX)
        print(f"A certificate for {host} was made, which clients have to be told to trust.")


def self_signed(host: str, days: int = _DAYS) -> tuple[str, str]:
    """Return a certificate for a host and for this machine, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    names = [_general(name) for name in dict.fromkeys((host, "localhost", "127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(pem).decode(), private.decode()


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def main() -> None:
    """Make what is missing."""
    out, given = Path(sys.argv[1]), Path(sys.argv[2])
    make_secrets(out)
    make_certificate(out, given, os.environ.get("V6_HOST") or "localhost")
    print("The password of the user root: docker compose exec api cat /run/vantage6/root_password")


if __name__ == "__main__":
    main()
