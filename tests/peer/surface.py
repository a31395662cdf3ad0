"""Prints what a package of the name vantage6 shows to its users, as JSON.

It runs with ``python -I`` in the environment of the published client, and in ours: one line for
each module, name, member and attribute, with its parameters where it can be called.
"""

import base64
import enum
import importlib
import inspect
import json
import sys
from contextlib import redirect_stdout

#: What scripts import, by module.
NAMES = {
    "vantage6.common": """
        info warning error debug echo bytes_to_base64s base64s_to_bytes WhoAmI Singleton
        ClickLogger logger_name check_config_writeable is_ip_address get_database_config
        generate_apikey Fore Style""",
    "vantage6.common.encryption": "SEPARATOR CryptorBase DummyCryptor RSACryptor",
    "vantage6.common.exceptions": "AuthenticationException",
    "vantage6.common.globals": """
        STRING_ENCODING APPNAME DEFAULT_ENVIRONMENT MAIN_VERSION_NAME DEFAULT_DOCKER_REGISTRY
        DEFAULT_NODE_IMAGE DEFAULT_SERVER_IMAGE DEFAULT_UI_IMAGE VPN_CONFIG_FILE DATABASE_TYPES
        PING_INTERVAL_SECONDS""",
    "vantage6.common.task_status": "TaskStatus has_task_failed has_task_finished",
    "vantage6.client": """
        ClientBase UserClient Client ContainerClient ServerInfo LEGACY serialization
        deserialization RSACryptor DummyCryptor WhoAmI AuthenticationException APPNAME
        bytes_to_base64s base64s_to_bytes post_filtering print_qr_code LogLevel""",
    "vantage6.client.algorithm_client": "AlgorithmClient",
    "vantage6.client.filter": "post_filtering",
    "vantage6.client.utils": "print_qr_code show_qr_code_image LogLevel",
    "vantage6.client.exceptions": "DeserializationException",
    "vantage6.client.serialization": "serialize serializer serialize_json serialize_pickle",
    "vantage6.client.deserialization": """
        deserialize deserializer deserialize_json deserialize_pickle unpack_legacy_results
        load_data""",
    "vantage6.tools.util": "info warn error",
    "vantage6.tools.docker_wrapper": """
        docker_wrapper auto_wrapper sparql_wrapper parquet_wrapper multidb_wrapper""",
    "vantage6.tools.wrapper": """
        docker_wrapper auto_wrapper sparql_wrapper parquet_wrapper multidb_wrapper select_wrapper
        write_output load_input WrapperBase CSVWrapper CsvWrapper DockerWrapper ExcelWrapper
        SparqlDockerWrapper ParquetWrapper SQLWrapper OMOPWrapper MultiDBWrapper""",
    "vantage6.tools.data_format": "DataFormat",
    "vantage6.tools.dispatch_rpc": "dispatch_rpc",
    "vantage6.tools.serialization": "serialize serializer serialize_to_json serialize_to_pickle",
    "vantage6.tools.deserialization": """
        deserialize deserializer deserialize_json deserialize_pickle""",
    "vantage6.tools.exceptions": "DeserializationException",
    "vantage6.tools.mock_client": "ClientMockProtocol MockAlgorithmClient",
}
#: Any address and any token do: nothing is sent.
ADDRESS = ("http://127.0.0.1", 1, "/api")
_IDENTITY = {
    "image": "i",
    "database": "d",
    "node_id": 1,
    "collaboration_id": 1,
    "organization_id": 1,
}
TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": _IDENTITY}, "none")
)
INSTANCES = {
    "vantage6.client": {"Client": ADDRESS, "ContainerClient": (TOKEN, *ADDRESS)},
    "vantage6.client.algorithm_client": {"AlgorithmClient": (TOKEN, *ADDRESS)},
}


def wrappers(function):
    """Return the functions around an innermost one, itself left out."""
    innermost, found = inspect.unwrap(function), []
    while function is not innermost:
        found.append(function)
        # Not `__wrapped__`, with which the published client passes over a layer.
        inner = inspect.getclosurevars(function).nonlocals.values()
        function = next(one for one in inner if inspect.isfunction(one))
    return found


def parameters(function):
    """Return the parameters as text; those that a wrapper adds count, though help hides some."""
    found = dict(inspect.signature(inspect.unwrap(function)).parameters)
    for wrapper in wrappers(function):
        for name, one in inspect.signature(wrapper, follow_wrapped=False).parameters.items():
            if one.kind is one.KEYWORD_ONLY:
                found.setdefault(name, one)
    return [text(one) for name, one in found.items() if name not in ("self", "cls")]


def text(parameter):
    """Return a parameter as it stands in a definition, with its kind where that is special."""
    marks = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
    keyword = " (keyword)" if parameter.kind is parameter.KEYWORD_ONLY else ""
    return f"{marks.get(parameter.kind.name, '')}{parameter.name}{default}{keyword}"


def described(value):
    """Return what can be compared of a value."""
    if isinstance(value, property):
        return "property"
    if inspect.isroutine(value):
        return parameters(value)
    if inspect.ismodule(value):
        return "module"
    return repr(value) if isinstance(value, (str, int, list, tuple)) else "value"


def has_constructor(owner):
    """Tell whether a class, or one above it, has written its own constructor."""
    return inspect.isfunction(owner.__init__)


def members(name, owner, found, seen):
    """Add a class with its constructor and its public members, or the name it already has."""
    if owner in seen:
        found[name] = f"the same as {seen[owner]}"
        return
    seen[owner] = name
    found[name] = "class"
    if issubclass(owner, enum.Enum):
        found.update({f"{name}.{one.name}": repr(one.value) for one in owner})
        return
    if issubclass(owner, tuple):
        found[f"{name}()"] = list(owner._fields)
    elif not issubclass(owner, BaseException):
        found[f"{name}()"] = parameters(owner.__init__) if has_constructor(owner) else []
    own = [one for one in owner.__mro__ if one.__module__.startswith("vantage6.")]
    for member in sorted({key for one in own for key in vars(one) if not key.startswith("_")}):
        value = inspect.getattr_static(owner, member)
        if inspect.isclass(value):
            members(f"{name}.{member}", value, found, seen)
        elif isinstance(value, property):
            found[f"{name}.{member}"] = "property"
        elif member not in getattr(owner, "_fields", ()):
            found[f"{name}.{member}"] = described(getattr(owner, member))


def surface():
    """Return everything by its full name."""
    found, seen = {}, {}
    for module_name, names in NAMES.items():
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        found[module_name] = "module"
        for name in names.split():
            try:
                value = getattr(module, name)
            except AttributeError:
                continue
            full = f"{module_name}.{name}"
            if inspect.isclass(value):
                members(full, value, found, seen)
            else:
                found[full] = described(value)
        for name, arguments in INSTANCES.get(module_name, {}).items():
            instance = getattr(module, name)(*arguments)
            for attribute in sorted(vars(instance)):
                if not attribute.startswith("_"):
                    found.setdefault(f"{module_name}.{name}().{attribute}", "attribute")
    return found


def main():
    """Print it; what the packages themselves write goes elsewhere."""
    with redirect_stdout(sys.stderr):
        found = surface()
    print(json.dumps(found, indent=1))  # noqa: T201


main()
