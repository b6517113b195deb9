kind = "ingress-gateway"
name = "ig"
tls { enabled = true }
listeners = [ { port = 99 protocol = "tcp" services = [ { name = "zq" } ] } ]
