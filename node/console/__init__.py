"""A page of the station's own, for data owners; on this machine alone."""
