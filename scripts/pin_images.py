"""Pin the images of a compose file to digests: ``python scripts/pin_images.py [FILE...]``.

A tag can be given to something else at any time; a digest cannot. Each
``${V6_…_IMAGE:-name:tag}`` of a file becomes ``name:tag@sha256:…`` with what the registry gives
under that tag today; run again, it takes the new one. Images without a tag are our own, built here,
and stay. An image whose registry does not answer stays as it is, is named, and makes the exit code
1.

A registry that asks for an account gets V6_REGISTRY_USER and V6_REGISTRY_PASSWORD.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2

FILES = (Path(__file__).parents[1] / "compose" / "compose.yaml",)
_IMAGE = re.compile(
    r"(?P<before>image: \$\{V6_\w+_IMAGE:-)"
    r"(?P<name>[\w./:-]+):(?P<tag>[\w.-]+)(?:@sha256:[0-9a-f]{64})?(?P<after>\})"
)
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_SECONDS = 20
_MOST_BYTES = 2**22


class NoDigest(Exception):
    """A registry does not tell the digest of an image."""


@dataclass(frozen=True)
class Repository:
    """Where an image is."""

    host: str
    name: str

    @classmethod
    def of(cls, name: str) -> "Repository":
        """Return the repository that Docker means by a name."""
        first, slash, rest = name.partition("/")
        if slash and (first == "localhost" or "." in first or ":" in first):
            return cls(first, rest)
        return cls("registry-1.docker.io", name if slash else f"library/{name}")

    @property
    def address(self) -> str:
        """Address of the repository in its registry; only this machine is asked in clear."""
        near = self.host.partition(":")[0] in ("localhost", "127.0.0.1")
        return f"{'http' if near else 'https'}://{self.host}/v2/{self.name}"


def digest(name: str, tag: str) -> str:
    """Return the digest that a registry gives for a tag, computed from what it gives.

    Raises
    ------
    NoDigest
        If it does not answer, or refuses.
    """
    repository = Repository.of(name)
    address = f"{repository.address}/manifests/{tag}"
    headers = {"Accept": _MANIFESTS}
    try:
        with httpx2.Client(timeout=_SECONDS, follow_redirects=True) as http:
            answer = http.get(address, headers=headers)
            if answer.status_code == 401:
                headers |= _authorization(http, repository, answer.headers["www-authenticate"])
                answer = http.get(address, headers=headers)
            answer.raise_for_status()
    except (httpx2.HTTPError, KeyError, ValueError) as error:
        raise NoDigest(f"{repository.host} does not tell: {error}") from error
    if len(answer.content) > _MOST_BYTES:
        raise NoDigest(f"{repository.host} answers with something that is no manifest")
    found = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    if answer.headers.get("docker-content-digest", found) != found:
        raise NoDigest(f"{repository.host} says another digest than what it gives has")
    return found


def _authorization(http: httpx2.Client, repository: Repository, challenge: str) -> dict[str, str]:
    """Return the header that a registry asks for."""
    user, password = (os.environ.get(f"V6_REGISTRY_{word}") for word in ("USER", "PASSWORD"))
    account = httpx2.BasicAuth(user, password) if user and password else None
    if challenge.lower().startswith("basic"):
        if account is None:
            raise ValueError("it asks for an account (V6_REGISTRY_USER, V6_REGISTRY_PASSWORD)")
        request = httpx2.Request("GET", repository.address)
        return {"Authorization": next(account.auth_flow(request)).headers["Authorization"]}
    said = dict(_CHALLENGE.findall(challenge))
    params = {"service": said.get("service", ""), "scope": f"repository:{repository.name}:pull"}
    answer = http.get(said["realm"], params=params, auth=account)
    answer.raise_for_status()
    body = answer.json()
    return {"Authorization": f"Bearer {body.get('token') or body['access_token']}"}


def pin(text: str) -> tuple[str, list[str]]:
    """Return a compose file with digests, and what could not be pinned."""
    problems: list[str] = []

    def pinned(found: re.Match[str]) -> str:
        name, tag = found["name"], found["tag"]
        try:
            mark = digest(name, tag)
        except NoDigest as error:
            problems.append(f"{name}:{tag} stays as it is. {error}")
            return found[0]
        print(f"{name}:{tag}@{mark}")
        return f"{found['before']}{name}:{tag}@{mark}{found['after']}"

    return _IMAGE.sub(pinned, text), problems


def main() -> int:
    """Pin the images of all files that are named, or of compose.yaml."""
    problems: list[str] = []
    for file in [Path(name) for name in sys.argv[1:]] or FILES:
        text, failed = pin(file.read_text())
        file.write_text(text)
        problems += failed
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
