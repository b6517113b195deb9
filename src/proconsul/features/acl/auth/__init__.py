"""Ways to log in: who vouches for those that show a secret (Consul docs: security/acl/auth-methods)."""
