"""The agent at a data station: takes tasks in, runs them next to the data, hands results out."""
