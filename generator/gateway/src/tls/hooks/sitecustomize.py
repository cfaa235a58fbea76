"""Imported by `stackgen dev` into Python functions (PYTHONPATH). Connections to port 443 of hosts that the local gateway
stands for go to the gateway. All other connections are unchanged, and so are the names that TLS verifies."""


def _redirect():
    import functools
    import json
    import os
    import socket

    table = os.environ.get("_STACKGEN_HOSTS")
    resolve = socket.getaddrinfo

    # Labels in the names of customers' resources, such as load balancers. Those hosts are reached as they are.
    of_customers = {
        "elb", "compute", "compute-1", "appsync-api", "appsync-realtime-api", "iot", "es", "aoss", "cloudsearch", "eks",
    }
    # First labels of names that are a service's all the same.
    of_services = {"api", "data", "data-ats"}

    def key_of(host):
        """Returns the key of a host's port in the table: that of an API in all regions, or that of all services."""
        name, dot, domain = host.rpartition(".amazonaws.com")
        if not dot or domain not in ("", ".cn") or name == "checkip":
            return None
        first, *rest = name.split(".")
        if rest[:1] == ["execute-api"]:
            return first + ".execute-api" if len(rest) == 2 else None
        of_customer = not of_customers.isdisjoint(rest[-2:])
        return None if of_customer and first not in of_services else "*"

    def port_of(host, port):
        """Returns the gateway's port for a host, or None. The table changes while functions run."""
        if isinstance(host, (bytes, bytearray)):
            host = bytes(host).decode("ascii", "ignore")
        if not table or not isinstance(host, str) or str(port) not in ("443", "https"):
            return None
        name = host.lower()
        key = key_of(name)
        if key is None:
            return None
        try:
            with open(table, encoding="utf-8") as file:
                ports = json.load(file)
            return ports.get(name, ports.get(key))
        except (OSError, ValueError):
            return None

    @functools.wraps(resolve)
    def getaddrinfo(host, port, family=0, *args, **kwargs):
        # An SDK put the prefix of an operation before the endpoint's address (`sync-127.0.0.1`), which no name can be.
        if isinstance(host, str) and host.endswith(("-127.0.0.1", ".127.0.0.1")):
            host = "127.0.0.1"
        local = port_of(host, port)
        if local is None:
            return resolve(host, port, family, *args, **kwargs)
        if family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NONAME, "the local gateway listens on IPv4 only")
        return resolve("127.0.0.1", local, family, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def _run_next():
    """Runs the module of this name that would have been imported without this one."""
    import importlib.machinery
    import importlib.util
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    others = [path for path in sys.path if os.path.abspath(path) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_redirect()
_run_next()
