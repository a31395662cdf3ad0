"""Configuration: one YAML file per instance, checked once, frozen afterwards."""

from vantage6.common.config.files import load
from vantage6.common.config.instance import Instance
from vantage6.common.config.node import NodeConfig
from vantage6.common.config.server import ServerConfig

__all__ = ["Instance", "NodeConfig", "ServerConfig", "load"]
