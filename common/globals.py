"""Fixed words of vantage6 3.11 that scripts import; nothing of ours uses them."""

STRING_ENCODING = "utf-8"
APPNAME = "vantage6"
DEFAULT_ENVIRONMENT = "application"
MAIN_VERSION_NAME = "petronas"
DEFAULT_DOCKER_REGISTRY = "harbor2.vantage6.ai"
DEFAULT_NODE_IMAGE = f"infrastructure/node:{MAIN_VERSION_NAME}"
DEFAULT_SERVER_IMAGE = f"infrastructure/server:{MAIN_VERSION_NAME}"
DEFAULT_UI_IMAGE = f"infrastructure/ui:{MAIN_VERSION_NAME}"
VPN_CONFIG_FILE = "vpn-config.ovpn.conf"
DATABASE_TYPES = ["csv", "parquet", "sql", "sparql", "omop", "excel", "other"]
PING_INTERVAL_SECONDS = 60
