"""Files by SFTP: a tree that the box makes up. Only what a place of it offers is there; nothing leads out."""
