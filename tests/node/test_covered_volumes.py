"""Volumes that an image declares, and what covers them."""

from docker.types import Mount

from tests.node.factories import make_config
from vantage6.node.runtime import confinement


def test_volume_where_the_node_mounts_is_not_covered_twice() -> None:
    """An image with such a volume did not start."""
    own = [Mount("/mnt/tmp", "/somewhere", type="bind")]
    declared = ["/mnt/tmp", "/tmp", "//mnt//tmp/", "tmp", "/data/", "/data"]
    made = confinement.volumes(make_config(), declared, own)
    assert [mount["Target"] for mount in made] == ["/data"]
