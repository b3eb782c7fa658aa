"""The console by SSH, for those who never see the pages: sessions, single commands, files. docs/ssh.md."""
