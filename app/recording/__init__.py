"""What happened: events, the recorder, the store and recording files. Standard library only."""
