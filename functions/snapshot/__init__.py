"""Take one good snapshot of every selected volume and slot, and watch how old the newest is."""
