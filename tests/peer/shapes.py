"""What a 3.11 server shows of each kind of thing. A server may show more, never less."""

from tests.peer.expect import AllOf, Each, link, one_of

TEXT = one_of(str, None)
TIME = one_of(str, None)


def links(kind: str) -> object:
    """Expect links, of which an empty list is null."""
    return one_of(None, Each(link(kind)))


USER = {
    "id": int,
    "type": "user",
    "username": str,
    "firstname": TEXT,
    "lastname": TEXT,
    "email": TEXT,
    "status": TEXT,
    "last_seen": TIME,
    "ip": None,
    # 3.11 shows the secret of the second factor to whoever may see the user.
    "otp_secret": None,
    "organization": link("organization"),
    "roles": links("role"),
    "rules": links("rule"),
    "created_tasks": list,
}
ORGANIZATION = {
    "id": int,
    "name": TEXT,
    "domain": TEXT,
    "address1": TEXT,
    "address2": TEXT,
    "zipcode": TEXT,
    "country": TEXT,
    "public_key": str,
    "collaborations": links("collaboration"),
    "nodes": links("node"),
    "users": links("user"),
    # 3.11 lists every result ever; nobody reads them here.
    "results": links("result"),
    "roles": list,
}
COLLABORATION = {
    "id": int,
    "name": str,
    "encrypted": bool,
    "organizations": links("organization"),
    "nodes": links("node"),
    "tasks": links("task"),
}
NODE = {
    "id": int,
    "type": "node",
    "name": TEXT,
    "status": one_of(None, "online", "offline"),
    "ip": TEXT,
    "last_seen": TIME,
    "organization": link("organization"),
    "collaboration": one_of(None, link("collaboration")),
    "config": list,
}
TASK = {
    "id": int,
    "run_id": int,
    "name": TEXT,
    "description": TEXT,
    "image": TEXT,
    "database": TEXT,
    "initiator": one_of(int, None),
    "init_user": one_of(int, None),
    "collaboration": one_of(None, link("collaboration")),
    "parent": one_of(None, link("task")),
    "children": links("task"),
    "created_at": TIME,
    "finished_at": TIME,
    "complete": bool,
    "status": str,
    "results": one_of(None, list),
}
_RESULT = {
    "id": int,
    "input": one_of(str, bytes, None),
    "log": TEXT,
    "status": TEXT,
    "assigned_at": TIME,
    "started_at": TIME,
    "finished_at": TIME,
    "node": {"id": int, "name": TEXT, "status": TEXT, "ip": TEXT, "config": list},
    "ports": list,
}
RESULT = {**_RESULT, "organization": link("organization")}
#: As a part of its task.
PART = {**_RESULT, "result": TEXT, "organization": int}
ROLE = {
    "id": int,
    "name": str,
    "description": TEXT,
    "organization": one_of(None, link("organization")),
    "rules": links("rule"),
    "users": links("user"),
}
RULE = {
    "id": int,
    "name": str,
    "operation": one_of("VIEW", "EDIT", "CREATE", "DELETE"),
    "scope": one_of("OWN", "ORGANIZATION", "COLLABORATION", "GLOBAL"),
    "description": str,
    "users": links("user"),
}


def a(shape: dict[str, object], **known: object) -> AllOf:
    """Expect a thing of a shape, of which something more is known."""
    return AllOf(shape, known)
