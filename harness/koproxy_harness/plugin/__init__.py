"""What the pytest plugin needs once a fixture is used."""
