"""What may leave a station, as pure functions that node, tools and mock client share."""

#: Variable that names the file with the floors of the station.
FLOORS_FILE = "FLOORS_FILE"
#: Variable that names the file with the organizations that are asked together.
PARTIES_FILE = "PARTIES_FILE"
