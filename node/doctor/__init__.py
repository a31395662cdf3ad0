"""What a node needs, checked in order: ``vnode doctor``."""
