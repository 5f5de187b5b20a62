"""Breaking a whole BioTrakr on purpose: see tests/chaos."""
