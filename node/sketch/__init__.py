"""The sketches of the tables of the station, which outputs are compared with."""
