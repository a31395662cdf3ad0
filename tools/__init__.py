"""What runs inside an algorithm container, around the functions of the algorithm."""
