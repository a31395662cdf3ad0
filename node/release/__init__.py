"""What may leave a station: outputs are judged, and some wait for a person."""
