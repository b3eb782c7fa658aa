"""What is offered to who connects: what asyncssh has by its libraries and ssh-audit finds good. Pure."""

KEY_EXCHANGES = ("mlkem768x25519-sha256",)
# OpenSSH before 9.9 knows none of those; ssh-audit warns that these do not hold against quantum computers.
OLDER_KEY_EXCHANGES = ("curve25519-sha256", "curve25519-sha256@libssh.org")
# Not chacha20-poly1305: a client that does not know strict key exchange would be open to CVE-2023-48795.
CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr")
MACS = ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")
SIGNATURES = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
              "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256")


def key_exchanges(older_clients: bool) -> list[str]:
    """Those that are offered."""
    return [*KEY_EXCHANGES, *(OLDER_KEY_EXCHANGES if older_clients else ())]
