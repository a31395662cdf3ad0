/** Texts of the administration of nodes, and of the import. */
export const adminNodes = {
  "admin.node.number": "Node {id}",
  "admin.node.new": "New node",
  "admin.node.new.for": "Register a node of {name}",
  "admin.node.create": "Create node",
  "admin.node.search": "Name of a node",
  "admin.node.empty": "There is no node that you may see.",
  "admin.node.closed": "Your rules do not let you register nodes.",
  "admin.node.nowhere":
    "This organization is in no collaboration that you may see. Add it to one first.",
  "admin.node.collaboration.hint": "An organization has one node in each of its collaborations.",
  "admin.node.name.hint": "optional; made of the names of organization and collaboration",
  "admin.node.made": "The node {name} is registered.",
  "admin.node.unknown": "There is no such node, or your rules do not let you see it.",
  "admin.node.show": "Show the node",
  "admin.node.key": "API key",
  "admin.node.key.once":
    "The server keeps no copy of this key, and this page shows it only now. Hand it to the organization on a safe way.",
  "admin.node.key.copy": "Copy API key",
  "admin.node.key.kept":
    "The server keeps no copy of the key. If it is lost or known to others, make a new one.",
  "admin.node.command": "With commands",
  "admin.node.command.text":
    "On the computer of the data station. The first command asks for the API key and for the data.",
  "admin.node.command.copy": "Copy commands",
  "admin.node.configuration": "With a configuration file",
  "admin.node.configuration.text":
    "The same as a file that its owner alone may read. Replace both paths, then start it: vnode start --config FILE.",
  "admin.node.configuration.copy": "Copy configuration",
  "admin.node.told": "What the node tells",
  "admin.node.tells_nothing": "The node tells nothing of its configuration.",
  "admin.node.setting": "Setting",
  "admin.node.value": "Value",
  "admin.node.reset": "Make a new API key",
  "admin.node.reset.title": "Make a new API key for {name}?",
  "admin.node.reset.what": "The present API key of {name}",
  "admin.node.reset.text":
    "The node is signed out at once, and stays so until its configuration holds the new key.",
  "admin.node.delete": "Delete {name}",
  "admin.node.delete.title": "Delete the node {name}?",
  "admin.node.delete.what": "{name}, of {organization} in {collaboration}, with its API key",
  "admin.node.delete.text":
    "The data station is signed out and receives no more tasks. Its results stay. This cannot be undone.",
} as const;
