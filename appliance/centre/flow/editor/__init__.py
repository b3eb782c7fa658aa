"""What an editor of flows shows: kinds of nodes with their fields, and a file as a picture."""
