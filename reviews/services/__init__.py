"""What changes barriers, meetings and packs; each writes its audit row in the same transaction."""
