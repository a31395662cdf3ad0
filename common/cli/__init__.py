"""What the two programs share, ``vserver`` and ``vnode``, at a terminal."""
