"""Open data: everything the public sees, as files, with a licence and a catalogue."""
